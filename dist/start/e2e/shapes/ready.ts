import type { Sandbox } from '../../sandbox/index.js'
import { text } from '../../sandbox/values.js'
import { at, conditions, find, paths, until } from '../scenario.js'
import type { Made } from './shape.js'

/** Resolves when the controller is rolled out, and its NodePools and EC2NodeClasses are Ready. */
export async function ready(sandbox: Sandbox, made: Made): Promise<Made> {
  const deployment = `/apis/apps/v1/namespaces/${made.namespace}/deployments/${made.release}`
  await until(`Deployment ${made.release} to be rolled out`, async () => {
    const found = await find(sandbox, deployment)
    const wanted = at(found, 'spec', 'replicas')
    return found !== undefined && at(found, 'status', 'readyReplicas') === wanted ? true : undefined
  })
  const objects = [
    ...made.nodeClasses.map((name) => `${paths.nodeClasses}/${name}`),
    ...made.nodePools.map((name) => `${paths.nodePools}/${name}`)
  ]
  for (const path of objects) {
    await until(`${path} to be Ready`, async () => {
      const found = await find(sandbox, path)
      return found !== undefined && text(conditions(found)['Ready']) === 'True' ? true : undefined
    })
  }
  return made
}
