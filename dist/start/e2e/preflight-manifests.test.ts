import { AddRoleToInstanceProfileCommand, CreateInstanceProfileCommand, IAMClient } from '@aws-sdk/client-iam'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { hold, publishedStatements } from '../sandbox/cluster/deployer-policy.js'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { errorOf, found, preflightOf, refusedBeforeWriting } from './failed-run.js'
import { at, auditor, callsOf, reportOf, succeeded } from './scenario.js'

const inputs = { 'karpenter-version': newest, 'controller-identity': 'irsa', 'smoke-test': 'false' }
/** Refuses by itself, so that what else is found can be looked at without an installation. */
const unknownValue = { 'helm-values': 'replica: 1' }

type Spec = Readonly<Record<string, unknown>>

const selector = [{ tags: { 'karpenter.sh/discovery': 'green' } }]

function nodeClass(name: string, spec: Spec = {}): string {
  const { instanceProfile } = spec
  return document({
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata: { name },
    spec: {
      ...(instanceProfile === undefined && { role: 'KarpenterNodeRole-green' }),
      amiSelectorTerms: [{ alias: 'al2023@latest' }],
      subnetSelectorTerms: selector,
      securityGroupSelectorTerms: selector,
      ...spec
    }
  })
}

const requirement = (key: string, operator: string, ...values: readonly string[]): Spec => ({
  key: key.includes('/') ? key : `karpenter.k8s.aws/instance-${key}`,
  operator,
  values
})

function nodePool(name: string, requirements: readonly Spec[], more: Spec = {}, template: Spec = {}): string {
  return document({
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name },
    spec: {
      template: {
        spec: {
          nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' },
          requirements,
          ...template
        }
      },
      ...more
    }
  })
}

function document(manifest: object): string {
  return `---\n${JSON.stringify(manifest)}\n`
}

describe('preflight of the manifests', () => {
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'green',
      region: 'eu-west-1',
      kubernetesVersion: '1.34',
      runner: 'kept'
    })
  })
  afterAll(async () => sandbox.stop())

  async function run(
    manifests: readonly string[],
    more: Readonly<Record<string, string>> = {}
  ): Promise<ActionResult> {
    sandbox.cloud.clearCalls()
    return sandbox.run({ ...inputs, 'node-pools': manifests.join(''), ...more })
  }

  describe('before anything is installed', () => {
    test('what the CRDs will refuse: unknown fields, patterns, and rules in CEL', async () => {
      const result = await run([
        nodeClass('default', {
          blockDeviceMappings: [{ deviceName: '/dev/xvda', ebs: { encrypted: true } }]
        }),
        nodePool('fields', [], { disruption: { consolidateAfter: '1m', budgets: [{ nodes: 'some' }] } }),
        nodePool('typing', [], {}, { terminationGracePeriods: '1h' }),
        nodePool('rules', [requirement('karpenter.sh/fleet', 'In', 'a')], { replicas: 2, weight: 10 })
      ])
      await refusedBeforeWriting(sandbox, result, [
        'NodePool fields: spec.disruption.budgets[0].nodes must match pattern',
        'NodePool typing: spec.template.spec.terminationGracePeriods: unknown field',
        'NodePool rules: spec \'weight\' is not supported on static NodePools; spec.template.spec.requirements[0].key label domain "karpenter.sh" is restricted',
        'EC2NodeClass default: spec.blockDeviceMappings[0].ebs snapshotID or volumeSize must be defined',
        `CRDs of Karpenter ${newest}, which are applied first`
      ])
      expect(found(result)).toEqual(Array.from({ length: 4 }, () => 'error manifest-dry-run'))
    })

    test('subnets and security groups that terms do not find', async () => {
      const result = await run([
        nodeClass('default', { subnetSelectorTerms: [{ tags: { team: 'data' } }] }),
        nodeClass('other', { securityGroupSelectorTerms: [{ name: 'nodes-of-blue' }] })
      ])
      await refusedBeforeWriting(sandbox, result, [
        'EC2NodeClass default: no subnet matches its subnetSelectorTerms, so no node could start (team=data)',
        'EC2NodeClass other: no security group matches its securityGroupSelectorTerms'
      ])
      expect(found(result)).toEqual(['error node-class-selectors', 'error node-class-selectors'])
    })

    test('roles and instance profiles that are not there, that have no role, or that may not be passed', async () => {
      const trust = (service: string): unknown => ({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }]
      })
      sandbox.cloud.iam.putRole({ name: 'batch-nodes', trust: trust('ec2.amazonaws.com') })
      sandbox.cloud.iam.putRole({ name: 'functions', trust: trust('lambda.amazonaws.com') })
      const iam = new IAMClient(auditor(sandbox))
      for (const InstanceProfileName of ['empty', 'batch'])
        await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName }))
      await iam.send(
        new AddRoleToInstanceProfileCommand({ InstanceProfileName: 'batch', RoleName: 'batch-nodes' })
      )
      const result = await run([
        nodeClass('a', { role: 'nowhere' }),
        nodeClass('b', { role: 'functions' }),
        nodeClass('c', { instanceProfile: 'nowhere' }),
        nodeClass('d', { instanceProfile: 'empty' }),
        nodeClass('e', { instanceProfile: 'batch' })
      ])
      await refusedBeforeWriting(sandbox, result, [
        'EC2NodeClass a: there is no role "nowhere"',
        'EC2NodeClass b: the controller may not pass role functions to its nodes',
        'EC2NodeClass b: EC2 may not take role functions',
        'EC2NodeClass c: there is no instance profile "nowhere"',
        'EC2NodeClass d: instance profile empty has no role',
        'EC2NodeClass e: the controller may not pass role batch-nodes of instance profile batch',
        'iam:PassRole is allowed on arn:aws:iam::111122223333:role/KarpenterNodeRole-green',
        'preflight-allow: pass-role'
      ])
      const allowed = await run([nodeClass('default', { role: 'batch-nodes' })], {
        'preflight-allow': 'pass-role',
        ...unknownValue
      })
      expect(found(allowed)).toEqual(['error chart-values', 'warning node-class-role'])
    })

    test('images that there are none of', async () => {
      const result = await run([
        nodeClass('a', { amiFamily: 'AL2023', amiSelectorTerms: [{ id: 'ami-0123456789abcdef0' }] }),
        nodeClass('b', { amiFamily: 'AL2023', amiSelectorTerms: [{ tags: { team: 'data' } }] }),
        nodeClass('c', { amiFamily: 'AL2023', amiSelectorTerms: [{ name: 'golden-*', owner: 'self' }] })
      ])
      await refusedBeforeWriting(sandbox, result, [
        'EC2NodeClass a: no image matches its amiSelectorTerms, so no node could start (ami-0123456789abcdef0)',
        'EC2NodeClass b: no image matches its amiSelectorTerms, so no node could start (team=data)',
        'EC2NodeClass c: no image matches its amiSelectorTerms, so no node could start (name golden-* and owner self)'
      ])
      expect(found(result)).toEqual(Array.from({ length: 3 }, () => 'error node-class-images'))
    })

    test('an EC2NodeClass that is neither in the manifests nor in the cluster', async () => {
      const result = await run([nodeClass('other'), nodePool('default', [])])
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: node-pools: NodePool default: there is no EC2NodeClass "default" \(neither in the manifests nor in the cluster\)/
      ])
      expect(found(result)).toEqual(['error node-class-reference'])
    })

    test('a zone that no selected subnet is in, and requirements that leave no instance type, with the one that excludes the last', async () => {
      const zone = 'topology.kubernetes.io/zone'
      const result = await run([
        nodeClass('default'),
        nodePool('zone', [requirement(zone, 'In', 'eu-west-1f')]),
        nodePool('os', [requirement('kubernetes.io/os', 'In', 'windows')]),
        nodePool('type', [requirement('node.kubernetes.io/instance-type', 'In', 'm9.huge', 'c9.huge')]),
        nodePool('size', [requirement('category', 'In', 'm'), requirement('size', 'In', '48xlarge')]),
        nodePool('cpu', [
          requirement('family', 'In', 'm6i', 'c6i'),
          requirement('kubernetes.io/arch', 'In', 'amd64'),
          requirement('cpu', 'Gte', '16'),
          requirement('cpu', 'Gt', '16')
        ]),
        nodePool('gpu', [requirement('gpu-count', 'Exists')]),
        nodePool('kinds', [{ ...requirement('family', 'In', 'm6i', 'c6i', 'm9i'), minValues: 3 }])
      ])
      await refusedBeforeWriting(sandbox, result, [
        'NodePool zone: no subnet of EC2NodeClass default is where it wants its nodes (topology.kubernetes.io/zone In eu-west-1f; the subnets are in eu-west-1a, eu-west-1b, eu-west-1c',
        'NodePool os: no subnet of EC2NodeClass default is where it wants its nodes (kubernetes.io/os In windows',
        /NodePool type: no instance type that is offered in eu-west-1a, eu-west-1b, eu-west-1c meets its requirements \(node\.kubernetes\.io\/instance-type In m9\.huge, c9\.huge excludes every one\)/,
        /NodePool size: .*\(karpenter\.k8s\.aws\/instance-size In 48xlarge excludes the last: m5\.2xlarge, m5\.large, m5\.xlarge, m6g\.large and \d+ more\)/,
        /NodePool cpu: .*\(karpenter\.k8s\.aws\/instance-cpu Gt 16 excludes the last: c6i\.4xlarge, m6i\.4xlarge\)/,
        /NodePool gpu: .*\(karpenter\.k8s\.aws\/instance-gpu-count Exists excludes the last: /,
        /NodePool kinds: .* have 2 values of karpenter\.k8s\.aws\/instance-family, and minValues asks for 3/
      ])
      expect(found(result)).toEqual(Array.from({ length: 7 }, () => 'error node-pool-requirements'))
    })

    test('a controller that could run on its own nodes is warned of', async () => {
      const term = { matchExpressions: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }] }
      const affinity = {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } }
      }
      const result = await run(
        [
          nodeClass('default'),
          nodePool('default', [requirement('kubernetes.io/arch', 'In', 'amd64')]),
          nodePool('arm', [requirement('kubernetes.io/arch', 'In', 'arm64')]),
          nodePool('tainted', [], {}, { taints: [{ key: 'team', value: 'data', effect: 'NoSchedule' }] })
        ],
        { preflight: 'strict', 'helm-values': JSON.stringify({ affinity }) }
      )
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: helm-values: the controller could run on nodes that it makes itself \(NodePool default\)/,
        'add {key: karpenter.sh/nodepool, operator: DoesNotExist}'
      ])
      expect(found(result)).toEqual(['warning controller-on-own-nodes'])
      // Two checks ask for them.
      expect(at(reportOf(result), 'requests', 'repeated')).not.toContain('eks:ListFargateProfiles')
      expect(callsOf(sandbox).map(({ action }) => action)).toContain('ListFargateProfiles')
    })

    test('what may not be read is noted, and nothing is refused for it', async () => {
      const published = await publishedStatements(sandbox, 'install')
      const left = ['NodePoolImagesAndTypes', 'NodeClassRoles']
      hold(
        sandbox,
        published.filter((statement) => !left.includes(String(statement['Sid'])))
      )
      const manifests = [
        nodeClass('default', { role: 'batch-nodes' }),
        nodeClass('named', { amiFamily: 'AL2023', amiSelectorTerms: [{ name: 'golden-*' }] }),
        nodePool('default', [requirement('category', 'In', 'm')])
      ]
      const result = await run(manifests, unknownValue)
      hold(sandbox, published)
      expect(errorOf(result)).toMatch(/^setup-karpenter: helm-values: replica/)
      expect(found(result)).toEqual([
        'error chart-values',
        'note node-class-role',
        'note node-class-images',
        'note node-pool-requirements'
      ])
    })
  })

  /** Everything that the checks above look at, and nothing wrong with it. */
  const good = [
    nodeClass('default', { subnetSelectorTerms: [...selector, { tags: { team: 'data' } }] }),
    nodeClass('named', {
      amiFamily: 'AL2023',
      amiSelectorTerms: [{ name: 'amazon-eks-node-al2023-x86_64-standard-1.34-*' }]
    }),
    nodePool('general', [
      requirement('category', 'In', 'c', 'm', 'r'),
      requirement('generation', 'Gt', '4'),
      requirement('cpu', 'Lt', '9'),
      requirement('memory', 'Gte', '4096'),
      requirement('gpu-count', 'DoesNotExist'),
      requirement('family', 'NotIn', 'm5'),
      requirement('topology.kubernetes.io/zone', 'In', 'eu-west-1a', 'eu-west-1f'),
      requirement('karpenter.sh/capacity-type', 'In', 'spot', 'on-demand'),
      requirement('example.com/team', 'In', 'data', 'web')
    ])
  ]

  test('good manifests have no finding, and are asked about with few calls', async () => {
    const result = succeeded(await run(good))
    expect(preflightOf(result)).toEqual([])
    const asked = callsOf(sandbox).map(({ action }) => action)
    expect(asked.filter((action) => action.startsWith('DescribeInstanceType'))).toHaveLength(2)
  })

  describe('where Karpenter is installed', () => {
    test('what the API server refuses, and a NodePool for an EC2NodeClass that only the cluster has', async () => {
      const result = await run([nodePool('general', [], { limits: { cpu: 'many' } })])
      expect(errorOf(result)).toMatch(/NodePool general: .*spec\.limits\.cpu.*\(dry run of the API server\)/s)
      expect(found(result)).toEqual(['error manifest-dry-run'])
    })

    test('nothing is looked for again when nothing changes', async () => {
      const result = succeeded(await run(good))
      expect(result.outputs['changed']).toBe('false')
      expect(callsOf(sandbox).map(({ action }) => action)).not.toContain('DescribeInstanceTypes')
      expect(callsOf(sandbox).map(({ action }) => action)).not.toContain('DescribeImages')
    })
  })
})
