import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { errorOf } from './failed-run.js'
import { at, reportOf, smokeTestObjects, succeeded, until } from './scenario.js'
import { withWebhook } from './validating-webhook.js'

const fastClock = new URL('fast-clock.mjs', import.meta.url).href
const ofNamespace = '/api/v1/namespaces/karpenter'

/** Each with instance types of its own: what EC2 has none of is not asked for again for minutes, by whichever NodePool. */
const nodePool = (name: string, nodeClass: string, requirements: string, taint = ''): string => `
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: ${name} }
spec:
  limits: { cpu: 100 }
  template:
    spec:
      nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: ${nodeClass} }
      requirements: [${requirements}]
      taints: [${taint}]
`
const nodeClass = (name: string, alias: string): string => `
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: ${name} }
spec:
  role: KarpenterNodeRole-refused
  amiSelectorTerms: [{ alias: ${alias} }]
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: refused } }]
  securityGroupSelectorTerms: [{ tags: { karpenter.sh/discovery: refused } }]
`
const types = (...values: readonly string[]): string =>
  `{ key: node.kubernetes.io/instance-type, operator: In, values: [${values.join(', ')}] }`
const arch = (value: string): string => `{ key: kubernetes.io/arch, operator: In, values: [${value}] }`
const capacity = (value: string): string =>
  `{ key: karpenter.sh/capacity-type, operator: In, values: [${value}] }`

const nodePools = [
  nodeClass('default', 'al2023@latest'),
  nodeClass('bottlerocket', 'bottlerocket@latest'),
  nodePool('default', 'default', `${types('m5.large', 'm5.xlarge')}, ${capacity('on-demand')}`),
  nodePool('arm', 'default', `${arch('arm64')}, ${capacity('on-demand')}`),
  nodePool(
    'gpu',
    'bottlerocket',
    `${types('c5.large', 'c5.xlarge')}, ${capacity('on-demand')}`,
    '{ key: nvidia.com/gpu, value: "true", effect: NoSchedule }, { key: team, effect: NoExecute }'
  ),
  nodePool('quota', 'default', `${types('c6i.large', 'c6i.xlarge')}, ${capacity('on-demand')}`),
  nodePool('spot', 'default', `${types('r6i.large', 'r6i.xlarge')}, ${capacity('spot')}`)
].join('---')

const windows = {
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name: 'windows' },
  spec: {
    template: {
      spec: {
        nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' },
        requirements: [{ key: 'kubernetes.io/os', operator: 'In', values: ['windows'] }]
      }
    }
  }
}

describe('a smoke test in a cluster or an account that refuses it', () => {
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'refused',
      region: 'eu-west-1',
      kubernetesVersion: '1.34',
      authenticationMode: 'API',
      runner: 'kept'
    })
    succeeded(
      await sandbox.run({
        'karpenter-version': newest,
        'node-pools': nodePools,
        // Karpenter gives no node back that it planned pods on within twice this time, which is 10 s by default.
        'helm-values': 'settings: { batchMaxDuration: 5s }',
        'smoke-test': 'false'
      })
    )
  })
  afterAll(async () => sandbox.stop())

  /** Whatever a run came to, it has taken its own objects away; a NodeClaim goes when its instance has. */
  afterEach(async () => {
    sandbox.moto.troubleLaunches(undefined)
    await until('the end of the smoke test', async () =>
      (await smokeTestObjects(sandbox)).length === 0 ? true : undefined
    )
  })

  /** `pace`: how many of the run's seconds go by in one. */
  async function run(pools: string, pace = 1): Promise<ActionResult> {
    const given = { mode: 'smoke-test', 'smoke-test-replicas': '1', 'smoke-test-node-pools': pools }
    return sandbox.run(
      given,
      pace === 1 ? {} : { env: { NODE_OPTIONS: `--import ${fastClock}`, CLOCK_PACE: String(pace) } }
    )
  }

  async function made(resource: string, kind: string, spec: object): Promise<() => Promise<void>> {
    const object = { apiVersion: 'v1', kind, metadata: { name: 'small' }, spec }
    const { status, body } = await sandbox.kubernetes('POST', `${ofNamespace}/${resource}`, object)
    if (status !== 201) throw new Error(`${kind}: ${status} ${JSON.stringify(body)}`)
    return async () => {
      await sandbox.kubernetes('DELETE', `${ofNamespace}/${resource}/small`)
    }
  }

  /** How many seconds the smoke test waited, by its error. */
  function waited(result: ActionResult): number {
    return Number(/0 of 1 pods ran after (\d+) s: /.exec(errorOf(result))?.[1])
  }

  const subject = 'setup-karpenter: smoke test of NodePool default: 0 of 1 pods ran after'

  describe('is told who refuses its pods, and why, and what to do', () => {
    test('a quota', async () => {
      const end = await made('resourcequotas', 'ResourceQuota', { hard: { 'limits.cpu': '500m' } })
      // The quota counts once the controller manager has seen what is there.
      await until('the quota to count', async () => {
        const { body } = await sandbox.kubernetes('GET', `${ofNamespace}/resourcequotas/small`)
        return at(body, 'status', 'hard', 'limits.cpu')
      })
      const result = await run('default')
      await end()
      expect(errorOf(result)).toMatch(
        /the cluster refuses its pods \(ResourceQuota small\): pods "smoke-test-\S+" is forbidden: exceeded quota: small, requested: limits.cpu=1/
      )
      expect(errorOf(result)).toContain('kubectl -n karpenter edit resourcequota small')
      expect(errorOf(result)).toContain(subject)
      expect(waited(result)).toBeLessThan(30)
    })

    test('a LimitRange', async () => {
      const end = await made('limitranges', 'LimitRange', {
        limits: [{ type: 'Container', max: { cpu: '100m' } }]
      })
      const result = await run('default')
      await end()
      expect(errorOf(result)).toMatch(
        /the cluster refuses its pods \(a LimitRange\): pods "smoke-test-\S+" is forbidden: maximum cpu usage per Container is 100m, but limit is 1/
      )
      expect(errorOf(result)).toContain('kubectl -n karpenter get limitrange -o yaml')
      expect(waited(result)).toBeLessThan(30)
    })

    const pods = { apiGroup: '', resource: 'pods', namespace: 'karpenter' }

    test('a webhook that denies', async () => {
      const denies = '[required-labels] you must provide labels: {"team"}'
      const result = await withWebhook(sandbox, { answer: { denies }, ...pods }, async () => run('default'))
      expect(errorOf(result)).toContain(
        `the cluster refuses its pods (admission webhook "validate.policies.example.com"): admission webhook "validate.policies.example.com" denied the request: ${denies}`
      )
      expect(errorOf(result)).toContain('Make an exception of its policy for namespace karpenter')
      expect(waited(result)).toBeLessThan(30)
    })

    test('a webhook that is dead, which may come up within half a minute', async () => {
      const result = await withWebhook(sandbox, { answer: 'dead', ...pods }, async () => run('default', 10))
      expect(errorOf(result)).toMatch(
        /the cluster refuses its pods \(webhook "validate\.policies\.example\.com", which does not answer\): Internal error occurred: failed calling webhook/
      )
      expect(errorOf(result)).toContain('delete its ValidatingWebhookConfiguration')
      expect(errorOf(result)).not.toMatch(/readyz|cluster-admin/)
      expect(waited(result)).toBeGreaterThanOrEqual(30)
      expect(waited(result)).toBeLessThan(120)
    })
  })

  describe('ends long before its time where no launch can pass', () => {
    test('rights that the controller lacks', async () => {
      sandbox.moto.troubleLaunches({
        kind: 'refused',
        code: 'UnauthorizedOperation',
        message: 'You are not authorized to perform this operation. User: karpenter'
      })
      const result = await run('default', 20)
      expect(errorOf(result)).toMatch(/got no instance: Unauthorized: User is not authorized to perform/)
      expect(errorOf(result)).toContain('The controller role lacks what the message names')
      expect(waited(result)).toBeGreaterThanOrEqual(120)
      expect(waited(result)).toBeLessThan(600)
    })

    test('a quota of vCPUs', async () => {
      sandbox.moto.troubleLaunches({
        kind: 'refused',
        code: 'VcpuLimitExceeded',
        message:
          'You have requested more vCPU capacity than your current vCPU limit of 8 allows for the instance bucket that the specified instance type belongs to.'
      })
      const result = await run('quota', 20)
      expect(errorOf(result)).toMatch(/got no instance: .*(VcpuLimitExceeded|vCPU limit of 8)/)
      expect(errorOf(result)).toContain('raise it in Service Quotas')
      expect(waited(result)).toBeGreaterThanOrEqual(120)
      expect(waited(result)).toBeLessThan(600)
    })

    test('no service-linked role of Spot', async () => {
      sandbox.moto.troubleLaunches({
        kind: 'refused',
        code: 'AuthFailure.ServiceLinkedRoleCreationNotPermitted',
        message:
          'The provided credentials do not have permission to create the service-linked role for EC2 Spot Instances.'
      })
      const result = await run('spot', 20)
      expect(errorOf(result)).toMatch(/got no instance: .*ServiceLinkedRole/)
      expect(errorOf(result)).toContain('create-service-linked-role --aws-service-name spot.amazonaws.com')
      expect(waited(result)).toBeGreaterThanOrEqual(120)
      expect(waited(result)).toBeLessThan(600)
    })
  })

  test('tells why EC2 ended an instance at once', async () => {
    sandbox.moto.troubleLaunches({
      kind: 'ended at once',
      code: 'Client.InvalidKMSKey.InvalidState',
      message: 'Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state'
    })
    // Karpenter may hear of the end before it knows of the instance: EC2 is asked when it is late.
    const result = await run('default', 10)
    expect(errorOf(result)).toContain(
      'EC2 ended the instance at once: Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state'
    )
    expect(errorOf(result)).toContain('create grants on it')
    expect(errorOf(result)).not.toContain('never joined')
  })

  test('passes where only the strictest pods may be, on ARM, GPU and Bottlerocket nodes, and leaves Windows out', async () => {
    await sandbox.kubernetes('PATCH', ofNamespace, {
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } }
    })
    await sandbox.kubernetes('POST', '/apis/karpenter.sh/v1/nodepools', windows)
    const ratio = { type: 'Container', maxLimitRequestRatio: { cpu: '1', memory: '1' } }
    const end = await made('limitranges', 'LimitRange', { limits: [ratio] })
    const explicit = succeeded(await run('arm,gpu'))
    expect(list(reportOf(explicit)['smokeTests']).map((one) => record(one)['nodePool'])).toEqual([
      'arm',
      'gpu'
    ])
    expect(explicit.outputs['instance-types']).toMatch(/^(c5\.|.*,c5\.)/)
    const refused = await run('windows')
    await end()
    expect(errorOf(refused)).toContain(
      "smoke-test-node-pools: NodePool windows makes Windows nodes, on which the smoke test's pods do not run: there is nothing to prove"
    )
  })
})
