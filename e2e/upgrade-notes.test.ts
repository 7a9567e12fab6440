import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, oldest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { list, text } from '../sandbox/values.js'
import { check } from './clean-check.js'
import { errorOf, found } from './failed-run.js'
import { at, listed, reportOf, succeeded, until, type KubernetesObject } from './scenario.js'
import { startWorkload } from './workload.js'

const expected: unknown = JSON.parse(readFileSync(new URL('upgrade-notes.json', import.meta.url), 'utf8'))

const nodePools = (tag: string): string => `
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata:
  name: default
spec:
  role: KarpenterNodeRole-ahead
  amiSelectorTerms: [{ alias: al2023@latest }]
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: ahead } }]
  securityGroupSelectorTerms: [{ tags: { karpenter.sh/discovery: ahead } }]
  tags: { team: ${tag} }
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: default
spec:
  template:
    spec:
      nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: default }
      requirements:
        - { key: kubernetes.io/arch, operator: In, values: [amd64] }
        - { key: karpenter.sh/capacity-type, operator: In, values: [on-demand] }
  disruption: { consolidationPolicy: WhenEmpty, consolidateAfter: 10m, budgets: [{ nodes: '0' }] }
`

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
    await until('the new hash on both NodeClaims', async () => {
      const claims = await nodeClaims(sandbox)
      const renewed = claims.filter(
        (claim) =>
          at(claim, 'metadata', 'annotations', 'karpenter.k8s.aws/ec2nodeclass-hash-version') === 'v5'
      )
      return renewed.length === 2 ? true : undefined
    })
    expect((await nodeClaims(sandbox)).filter(isDrifted)).toEqual([])
  })

  test('a field of the hash that changes with the version is said to replace both nodes, and Karpenter marks both', async () => {
    // The older version hashes otherwise as well. Changed before that, no node would ever be marked.
    const result = succeeded(
      await sandbox.run({ ...inputs, 'allow-downgrade': 'true', 'node-pools': nodePools('green') })
    )
    expect(at(reportOf(result), 'upgrade')).toMatchObject({
      direction: 'downgrade',
      passes: ['1.13', '1.12', '1.11', '1.10', '1.9', '1.8', '1.7', '1.6', '1.5', '1.4', '1.3'],
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
    await until('both NodeClaims to be marked', async () =>
      (await nodeClaims(sandbox)).filter(isDrifted).length === 2 ? true : undefined
    )
  })
})

async function nodeClaims(sandbox: Sandbox): Promise<readonly KubernetesObject[]> {
  return listed(sandbox, '/apis/karpenter.sh/v1/nodeclaims')
}

function isDrifted(claim: KubernetesObject): boolean {
  return list(at(claim, 'status', 'conditions')).some(
    (one) => text(at(one, 'type')) === 'Drifted' && text(at(one, 'status')) === 'True'
  )
}
