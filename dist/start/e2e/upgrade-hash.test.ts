import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, previous, startSandbox, type Sandbox } from '../sandbox/index.js'
import { list, text } from '../sandbox/values.js'
import { check, checkIsClean } from './clean-check.js'
import { hashVersions, nodeClaims, nodePoolsWithTag } from './replaced-nodes.js'
import { at, launchedByKarpenter, reportOf, succeeded, until } from './scenario.js'
import { podsOf, startWorkload } from './workload.js'

/** The releases renew the hash of every EC2NodeClass; changed before that, it would never replace a node. */
describe(`an upgrade from ${previous} to ${newest} with a changed EC2NodeClass`, () => {
  const inputs = {
    'karpenter-version': previous,
    'node-pools': nodePoolsWithTag({ cluster: 'renewed', team: 'blue', budget: '100%' }),
    'smoke-test': 'false'
  }
  const newer = {
    ...inputs,
    'karpenter-version': newest,
    'node-pools': nodePoolsWithTag({ cluster: 'renewed', team: 'green', budget: '100%' })
  }
  const replaced = {
    nodes: 2,
    replaced: 2,
    mayBeReplaced: 0,
    driftedAlready: 0,
    causes: [{ object: 'EC2NodeClass default', nodes: 2, certain: true }]
  }
  const uids = async (): Promise<readonly string[]> =>
    (await nodeClaims(sandbox)).map((claim) => text(at(claim, 'metadata', 'uid')) ?? '')
  let sandbox: Sandbox
  let before: readonly string[]

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'renewed',
      region: 'eu-central-1',
      kubernetesVersion: '1.35',
      karpenter: [previous, newest],
      runner: 'kept',
      authenticationMode: 'API'
    })
    succeeded(await sandbox.run(inputs))
    await startWorkload(sandbox, { name: 'shop', replicas: 2 })
    before = await uids()
  })
  afterAll(async () => sandbox.stop())

  test('is announced to replace both nodes, by a check already', async () => {
    expect(await hashVersions(sandbox)).toEqual(['v5', 'v5'])
    const { result } = await check(sandbox, newer)
    expect(at(reportOf(result), 'upgrade', 'nodes')).toMatchObject(replaced)
  })

  test('replaces both, and their instances, and their pods run on new ones', async () => {
    const result = succeeded(await sandbox.run(newer))
    expect(at(reportOf(result), 'upgrade', 'nodes')).toMatchObject(replaced)
    expect(list(reportOf(result)['warnings']).join('\n')).toContain('Karpenter will replace 2 of its 2 nodes')
    await until('both NodeClaims to be replaced', async () => {
      const now = await uids()
      return now.length === 2 && now.every((uid) => !before.includes(uid)) ? true : undefined
    })
    await until('both pods to run', async () =>
      (await podsOf(sandbox, 'shop')).filter((pod) => at(pod, 'status', 'phase') === 'Running').length === 2
        ? true
        : undefined
    )
    expect(await hashVersions(sandbox)).toEqual(['v6', 'v6'])
    const instances = await launchedByKarpenter(sandbox)
    expect(instances.map(({ state, tags }) => `${tags['team'] ?? ''} ${state}`).toSorted()).toEqual([
      ...['blue terminated', 'blue terminated', 'green running', 'green running']
    ])
  })

  test('is clean in a check', async () => {
    await checkIsClean(sandbox, newer)
  })
})
