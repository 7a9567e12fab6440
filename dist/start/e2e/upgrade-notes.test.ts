import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, oldest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { list } from '../sandbox/values.js'
import { check } from './clean-check.js'
import { errorOf, found } from './failed-run.js'
import { driftedNodeClaims, hashVersions, isDrifted, nodeClaims, nodePoolsWithTag } from './replaced-nodes.js'
import { at, reportOf, succeeded, until } from './scenario.js'
import { startWorkload } from './workload.js'

const expected: unknown = JSON.parse(readFileSync(new URL('upgrade-notes.json', import.meta.url), 'utf8'))

/** No node may be disrupted, so that a mark is all that comes of a drift. */
const nodePools = (team: string): string => nodePoolsWithTag({ cluster: 'ahead', team, budget: '0' })

describe(`what is said before Karpenter ${oldest} goes to ${newest}`, () => {
  const inputs = {
    'karpenter-version': oldest,
    'node-pools': nodePools('blue'),
    'helm-values': 'logLevel: debug',
    'smoke-test': 'false'
  }
  const newer = { ...inputs, 'karpenter-version': newest }
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'ahead',
      region: 'eu-central-1',
      kubernetesVersion: '1.32',
      karpenter: [oldest, newest],
      runner: 'kept',
      authenticationMode: 'API_AND_CONFIG_MAP'
    })
    succeeded(await sandbox.run(inputs))
    await startWorkload(sandbox, { name: 'shop', replicas: 2 })
  })
  afterAll(async () => sandbox.stop())

  test('a check with the new version shows all that will change, and writes nothing', async () => {
    const { result } = await check(sandbox, newer)
    succeeded(result)
    const upgrade = at(reportOf(result), 'upgrade')
    expect(upgrade).toEqual(expected)
    expect(result.log).toContain(`upgrade of Karpenter from ${oldest} to ${newest}, past 1.3, 1.4`)
    expect(result.log).toContain("of 2 nodes of Karpenter's, none is expected to be replaced")
    expect(result.summary).toContain(`### Upgrade from ${oldest} to ${newest}`)
  })

  test('a check of the installed version says nothing of the kind', async () => {
    const { result } = await check(sandbox, inputs)
    expect(at(reportOf(result), 'upgrade')).toBeUndefined()
  })

  test('manifests are judged by the CRDs that come with it, not by those that the cluster still has', async () => {
    const field = '  weight: 10\n  replicas: 2\n  template:'
    const requirement = '{ key: karpenter.k8s.aws/instance-cpu, operator: Gte, values: ["2"] }'
    const manifests = newer['node-pools'].replace('requirements:', `requirements:\n        - ${requirement}`)
    const refused = { ...newer, 'helm-values': 'replica: 1' }
    expect(found(await sandbox.run({ ...refused, 'node-pools': manifests }))).toEqual(['error chart-values'])
    const broken = manifests.replace('  template:', field)
    const result = await sandbox.run({ ...refused, 'node-pools': broken })
    expect(errorOf(result)).toContain("NodePool default: spec 'weight' is not supported on static NodePools")
    expect(found(result)).toContain('error manifest-dry-run')
  })

  test('the upgrade renews the hash of both NodeClaims, and Karpenter marks neither as drifted', async () => {
    const result = succeeded(await sandbox.run(newer))
    expect(at(reportOf(result), 'upgrade')).toEqual(expected)
    await until('the new hash on both NodeClaims', async () =>
      (await hashVersions(sandbox)).every((version) => version === 'v6') ? true : undefined
    )
    expect((await nodeClaims(sandbox)).filter(isDrifted)).toEqual([])
  })

  test('a field of the hash that changes with the version is said to replace both nodes, and Karpenter marks both', async () => {
    // The older version hashes otherwise as well. Changed before that, no node would ever be marked.
    const result = succeeded(
      await sandbox.run({ ...inputs, 'allow-downgrade': 'true', 'node-pools': nodePools('green') })
    )
    expect(at(reportOf(result), 'upgrade')).toMatchObject({
      direction: 'downgrade',
      passes: ['1.14', '1.13', '1.12', '1.11', '1.10', '1.9', '1.8', '1.7', '1.6', '1.5', '1.4', '1.3'],
      fieldsLost: [],
      cautions: [],
      nodes: {
        nodes: 2,
        replaced: 2,
        mayBeReplaced: 0,
        driftedAlready: 0,
        causes: [{ object: 'EC2NodeClass default', nodes: 2, certain: true }]
      }
    })
    expect(list(reportOf(result)['warnings']).join('\n')).toContain('Karpenter will replace 2 of its 2 nodes')
    await driftedNodeClaims(sandbox, 2)
  })
})
