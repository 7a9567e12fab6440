import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { putPodExecutionRole } from '../sandbox/cluster/fargate.js'
import { hold, publishedStatements } from '../sandbox/cluster/deployer-policy.js'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { found, preflightOf, refusedBeforeWriting } from './failed-run.js'
import { at, listed, paths } from './scenario.js'

const inputs = { 'karpenter-version': newest, 'controller-identity': 'irsa', 'smoke-test': 'false' }
/** `replica` refuses by itself, so that what else is found can be looked at without an installation. */
const refusing = (values: Readonly<Record<string, unknown>> = {}) => ({
  'helm-values': JSON.stringify({ replica: 1, ...values })
})
const zone = 'topology.kubernetes.io/zone'
const podsPath = '/api/v1/namespaces/default/pods'

describe('preflight of where the controller is to run', () => {
  let sandbox: Sandbox
  let names: readonly string[]

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'green',
      region: 'eu-west-1',
      kubernetesVersion: '1.34',
      runner: 'kept'
    })
    names = (await listed(sandbox, paths.nodes)).map((node) => String(at(node, 'metadata', 'name')))
  })
  afterAll(async () => sandbox.stop())

  async function run(more: Readonly<Record<string, string>> = {}): Promise<ActionResult> {
    sandbox.cloud.clearCalls()
    return sandbox.run({ ...inputs, ...more })
  }

  function findings(result: ActionResult): readonly Readonly<Record<string, unknown>>[] {
    return preflightOf(result).filter(({ check }) => check !== 'chart-values')
  }

  async function ask(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<void> {
    const answer = await sandbox.kubernetes(method, path, body)
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  }
  const patch = async (node: string | undefined, change: unknown): Promise<void> =>
    ask('PATCH', `${paths.nodes}/${node}`, change)
  const label = async (node: string | undefined, key: string, value: string | null): Promise<void> =>
    patch(node, { metadata: { labels: { [key]: value } } })

  /** Runs while a pod of this much and this priority is on each of these nodes. */
  async function beside(
    nodes: readonly (string | undefined)[],
    pod: { readonly cpu: string; readonly priorityClassName?: string },
    more: Readonly<Record<string, string>>
  ): Promise<ActionResult> {
    const { cpu, ...spec } = pod
    for (const [index, nodeName] of nodes.entries()) {
      const containers = [{ name: 'main', image: 'pause', resources: { requests: { cpu } } }]
      await ask('POST', podsPath, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `full-${index}` },
        spec: { ...spec, nodeName, containers }
      })
    }
    const result = await run(more)
    for (const index of nodes.keys()) await ask('DELETE', `${podsPath}/full-${index}?gracePeriodSeconds=0`)
    return result
  }

  test('finds nothing on a good cluster', async () => {
    const result = await run(refusing())
    await refusedBeforeWriting(sandbox, result, [/^setup-karpenter: helm-values: replica: /])
    expect(found(result)).toEqual(['error chart-values'])
  })

  describe('nodes', () => {
    test('of Karpenter and cordoned ones leave one: refused, with what one replica means', async () => {
      await label(names[0], 'karpenter.sh/nodepool', 'other')
      const one = await run()
      const withOne = await run(refusing({ replicas: 1 }))
      const allowed = await run({ ...refusing(), 'preflight-allow': 'controller-capacity' })
      await patch(names[1], { spec: { unschedulable: true } })
      const none = await run()
      await patch(names[1], { spec: { unschedulable: null } })
      await label(names[0], 'karpenter.sh/nodepool', null)

      await refusedBeforeWriting(sandbox, one, [
        "the controller's 2 replicas need a node each, and one node can take one",
        `(${names[1]}; ${names[0]}: made by Karpenter)`,
        'pass `helm-values: "replicas: 1"` (one controller and no standby: while its node is replaced or an upgrade rolls',
        'preflight-allow: controller-capacity'
      ])
      expect(found(one)).toEqual(['error controller-capacity'])
      expect(findings(withOne)).toEqual([])
      expect(found(allowed)).toEqual(['warning controller-capacity', 'error chart-values'])
      await refusedBeforeWriting(sandbox, none, [
        'no node can run the controller, which needs 2 that Karpenter did not make',
        `${names[0]}: made by Karpenter`,
        `${names[1]}: cordoned`
      ])
    })

    test.each([
      ['a selector', { nodeSelector: { pool: 'system' } }, 'not pool=system'],
      ['requests', { controller: { resources: { requests: { cpu: 4 } } } }, '1930m cpu']
    ])('that do not meet %s of the user are named with why', async (_what, values, why) => {
      const [finding, ...more] = findings(await run(refusing(values)))
      expect(more).toEqual([])
      expect(finding).toMatchObject({
        level: 'error',
        check: 'controller-capacity',
        problem: expect.stringMatching(/^no node can run the controller/)
      })
      for (const name of names) expect(finding?.['evidence']).toContain(`${name}: ${why}`)
    })

    test('of one zone only, while another has tainted ones: the spread does not allow two', async () => {
      const nodes = await listed(sandbox, paths.nodes)
      const zones = nodes.map((node) => String(at(node, 'metadata', 'labels', zone)))
      const taint = { key: 'team', value: 'data', effect: 'NoSchedule' }
      await ask('POST', paths.nodes, {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'tainted', labels: { 'kubernetes.io/os': 'linux', [zone]: String(zones[1]) } },
        spec: { taints: [taint] }
      })
      await label(names[1], zone, String(zones[0]))
      const result = await run(refusing())
      await label(names[1], zone, String(zones[1]))
      await ask('DELETE', `${paths.nodes}/tainted`)
      expect(findings(result)).toEqual([
        expect.objectContaining({
          level: 'error',
          problem: `only 1 of the controller's 2 replicas can be placed: they must spread evenly over the zones ${zones.toSorted().join(', ')}`
        })
      ])
    })
  })

  describe('room', () => {
    test('is made at the cost of pods of a lower priority: a warning', async () => {
      const result = await beside([names[0]], { cpu: '1500m' }, refusing())
      expect(findings(result)).toEqual([
        expect.objectContaining({
          level: 'warning',
          check: 'controller-capacity',
          problem: `the controller would push pods of a lower priority off ${names[0]}, which have no room left for it`
        })
      ])
    })

    test('is not made by pods as critical: refused', async () => {
      const critical = { cpu: '1500m', priorityClassName: 'system-node-critical' }
      const result = await beside(names, critical, {})
      await refusedBeforeWriting(sandbox, result, [
        "only 0 of the controller's 2 replicas find room",
        /each needs 1 cpu, 1024Mi memory/
      ])
      expect(found(result)).toEqual(['error controller-capacity'])
    })
  })

  describe('Fargate', () => {
    const fargate = 'eks.amazonaws.com/compute-type'

    async function withProfile(
      namespace: string,
      more: Readonly<Record<string, string>>
    ): Promise<ActionResult> {
      const { cloud, vpc } = sandbox
      const profile = cloud.eks.putFargateProfile('green', {
        name: 'system',
        podExecutionRoleArn: putPodExecutionRole(cloud, 'green'),
        subnets: vpc.subnets.filter((subnet) => !subnet.public).map(({ id }) => id),
        selectors: [{ namespace, labels: {} }]
      })
      const result = await run(more)
      cloud.eks.fargateProfiles.delete(`green ${profile.name}`)
      return result
    }

    test('takes the controller in, and Pod Identity does not serve it there: refused', async () => {
      const podIdentity = { 'controller-identity': 'pod-identity' }
      const result = await withProfile('karpenter', podIdentity)
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: controller-identity: pod-identity does not serve Fargate/,
        'Fargate profile system takes in its pods in namespace karpenter',
        'Pass `controller-identity: irsa`'
      ])
      expect(findings(await withProfile('karpenter', refusing()))).toEqual([])
      expect(findings(await withProfile('batch', { ...podIdentity, ...refusing() }))).toEqual([])
    })

    test('is all there is, and takes the controller in or not', async () => {
      for (const name of names) await label(name, fargate, 'fargate')
      const without = await withProfile('batch', {})
      const taken = await withProfile('karp*', refusing())
      for (const name of names) await label(name, fargate, null)
      await refusedBeforeWriting(sandbox, without, [
        'the cluster has Fargate nodes only, and no Fargate profile takes in the controller in namespace karpenter',
        'profiles: system',
        'eksctl create fargateprofile --namespace karpenter'
      ])
      expect(findings(taken)).toEqual([])
    })

    test('that may not be asked for is noted', async () => {
      const published = await publishedStatements(sandbox, 'install')
      hold(
        sandbox,
        published.filter(({ Sid }) => Sid !== 'FargateProfiles')
      )
      const result = await run(refusing())
      hold(sandbox, published)
      expect(findings(result)).toEqual([
        expect.objectContaining({
          level: 'note',
          check: 'controller-capacity',
          problem: expect.stringContaining("the run's role may not call eks:ListFargateProfiles")
        })
      ])
    })
  })
})
