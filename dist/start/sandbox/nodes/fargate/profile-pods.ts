import { setTimeout as pause } from 'node:timers/promises'
import { list, record } from '../../values.js'
import type { ApiClient } from '../api-client.js'
import { factsOf } from '../pod-environment.js'
import { profileNameOf } from './webhook.js'

/** Ends the pods that run by a profile, as EKS does when the profile is deleted; resolves when they are gone. */
export async function removePods(api: ApiClient, profileName: string): Promise<void> {
  const ofProfile = async () => {
    const answer = await api.request({ method: 'GET', path: '/api/v1/pods' })
    return list(answer.body['items'])
      .map(record)
      .filter((pod) => profileNameOf(pod) === profileName)
      .map(factsOf)
  }
  const ending = await ofProfile()
  for (const { namespace, name } of ending) {
    await api.request({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}/pods/${name}` })
  }
  const uids = new Set(ending.map(({ uid }) => uid))
  while ((await ofProfile()).some(({ uid }) => uids.has(uid))) await pause(100)
}
