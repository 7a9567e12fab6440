import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { record, text } from '../sandbox/values.js'
import { AnotherHand } from './another-hand.js'
import { check, checkIsClean } from './clean-check.js'
import { at, listed, paths, succeeded, until } from './scenario.js'

const inputs = { 'karpenter-version': newest, 'smoke-test': 'false' }
const pods = '/api/v1/namespaces/karpenter/pods'

describe('a cluster whose controller does not run', () => {
  let sandbox: Sandbox
  let hand: AnotherHand

  beforeAll(async () => {
    sandbox = await startSandbox({ name: 'unwell', kubernetesVersion: '1.35', authenticationMode: 'API' })
    succeeded(await sandbox.run(inputs))
    hand = new AnotherHand(sandbox)
    await checkIsClean(sandbox, inputs)
  })
  afterAll(async () => {
    hand.close()
    await sandbox.stop()
  })

  const names = async (path: string): Promise<readonly string[]> =>
    (await listed(sandbox, path)).map((object) => text(at(object, 'metadata', 'name')) ?? '')
  const cordon = async (unschedulable: boolean | null): Promise<void> => {
    for (const name of await names(paths.nodes))
      await sandbox.kubernetes('PATCH', `${paths.nodes}/${name}`, { spec: { unschedulable } })
  }

  test('fails a check with what the scheduler says, and with the messages that nobody takes', async () => {
    await cordon(true)
    const before = await names(pods)
    for (const name of before) await sandbox.kubernetes('DELETE', `${pods}/${name}`)
    await until('the new pods find no node', async () => {
      const found = await listed(sandbox, pods)
      const pending = found.filter(
        (pod) =>
          at(pod, 'status', 'phase') === 'Pending' &&
          !before.includes(text(at(pod, 'metadata', 'name')) ?? '')
      )
      return pending.length === 2 && found.length === 2 ? true : undefined
    })
    // A long poll of the controllers that are gone lasts 20 s at most, and would take the message.
    const goneAt = Date.now()
    await until('no open poll', () => (Date.now() - goneAt > 21_000 ? true : undefined))
    await hand.sqs.send(new SendMessageCommand({ QueueUrl: hand.queueUrl, MessageBody: '{}' }))
    const { result, findings } = await check(sandbox, inputs)
    expect(findings).toMatchObject([
      { kind: 'unhealthy', id: 'queue', reason: expect.stringContaining('1 wait') as unknown },
      {
        kind: 'unhealthy',
        id: 'helm-release',
        reason: expect.stringMatching(
          /^Deployment karpenter\/karpenter: 0 of 2 pods are available; Pod karpenter-\S+ Unschedulable: 0\/2 nodes are available: 2 node\(s\) were unschedulable/
        ) as unknown
      }
    ])
    expect(result.outputs).toMatchObject({ drift: '0', unhealthy: '2', pending: '0', unknown: '0' })
    const failed = await sandbox.run({ ...inputs, mode: 'check' })
    expect(failed.conclusion).toBe('failure')
    const errors = failed.annotations.filter(({ level }) => level === 'error')
    expect(errors.at(-1)?.message).toContain('2 unhealthy')
  })

  test('and is well again when its pods run', async () => {
    await cordon(null)
    await until('the controller is available', async () => {
      const deployment = record((await sandbox.kubernetes('GET', `${paths.deployments}/karpenter`)).body)
      return at(deployment, 'status', 'availableReplicas') === 2 ? true : undefined
    })
    await checkIsClean(sandbox, inputs)
  })
})
