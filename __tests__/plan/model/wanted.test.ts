import type { Discovery } from '../../../src/plan/discovery.js'
import { field, listField, textField } from '../../../src/kubernetes/manifest.js'
import { modelOf, removal, type Shape } from './shapes.js'

const account = 'arn:aws:iam::111122223333'
const policy = (name: string): string => `${account}:policy/${name}-blue`
const tags = { 'setup-karpenter:owner': 'blue', team: 'a' }
const service = { namespace: 'system', serviceAccount: 'karpenter' }
const named = {
  tags: 'team=a',
  namespace: 'system',
  'stack-name': 'parts',
  'controller-role-name': 'controller',
  'node-role-name': 'nodes'
}
const irsa: Shape = { inputs: { ...named, 'controller-identity': 'irsa' } }
const podIdentity: Shape = { inputs: named }
const issuer = 'oidc.eks.eu-west-1.amazonaws.com/id/B1'
const providerArn = `${account}:oidc-provider/${issuer}`
const role = { clusterName: 'blue', roleName: 'controller', arn: `${account}:role/controller`, tags }

test.each<[string, string, Shape, unknown]>([
  ['namespace', '', podIdentity, { name: 'system' }],
  [
    'oidc-provider',
    'by IRSA',
    irsa,
    {
      clusterName: 'blue',
      arn: providerArn,
      issuer: `https://${issuer}`,
      audience: 'sts.amazonaws.com',
      tags
    }
  ],
  ['controller-role', 'by IRSA', irsa, { ...role, trust: { kind: 'irsa', providerArn, ...service } }],
  ['controller-role', 'by Pod Identity', podIdentity, { ...role, trust: { kind: 'pod-identity' } }],
  ['retired-association', 'by IRSA', irsa, { clusterName: 'blue', ...service }],
  [
    'pod-identity-agent',
    'by Pod Identity',
    podIdentity,
    { clusterName: 'blue', addonName: 'eks-pod-identity-agent', tags }
  ],
  [
    'pod-identity-association',
    'by Pod Identity',
    podIdentity,
    { clusterName: 'blue', ...service, roleArn: role.arn, tags }
  ],
  ['controller-pods', 'by IRSA', irsa, { strategy: 'irsa', roleArn: role.arn, namespace: 'system' }],
  [
    'node-access',
    'by access entry',
    podIdentity,
    { clusterName: 'blue', nodeRoleArn: `${account}:role/nodes`, type: 'EC2_LINUX', tags }
  ],
  [
    'node-access',
    'by aws-auth',
    { ...podIdentity, authenticationMode: 'CONFIG_MAP' },
    { nodeRoleArn: `${account}:role/nodes` }
  ],
  ['instances', 'in a removal', { ...podIdentity, removal }, { clusterName: 'blue', nodePools: ['default'] }],
  [
    'leftovers',
    'in a removal',
    { ...podIdentity, removal },
    {
      clusterName: 'blue',
      region: 'eu-west-1',
      nodeRoleName: 'nodes',
      nodePools: ['default'],
      nodeClasses: ['default']
    }
  ]
])('%s is wanted as it is asked for %s', async (id, _how, shape, wanted) => {
  expect((await modelOf(shape)).get(id).wanted).toEqual(wanted)
})

test('the stack is wanted with its names, its parameters and the tags that are asked for', async () => {
  const { wanted } = (await modelOf(podIdentity)).get('stack')
  expect(wanted).toMatchObject({
    clusterName: 'blue',
    name: 'parts',
    parameters: { ClusterName: 'blue' },
    tags,
    capabilities: ['CAPABILITY_NAMED_IAM'],
    resources: { KarpenterNodeRole: 'nodes', KarpenterInterruptionQueue: 'blue' }
  })
})

test('the controller is let through a busy API server by the service account that it has', async () => {
  const { wanted } = (await modelOf(podIdentity)).get('flow-schemas')
  const [first] = listField(wanted, 'flowSchemas')
  expect(field(first, 'spec', 'rules')).toEqual([
    expect.objectContaining({
      subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: 'karpenter', namespace: 'system' } }]
    })
  ])
})

test('queue and rules are those of the stack of this cluster', async () => {
  const graph = await modelOf(podIdentity)
  for (const id of ['queue', 'rule/SpotInterruptionRule'])
    expect(graph.get(id).wanted).toMatchObject({ clusterName: 'blue', stackName: 'parts' })
})

test('what the stack makes in IAM is wanted for this cluster, the role with its own tags and ours', async () => {
  const graph = await modelOf(podIdentity)
  expect(graph.get('role/nodes').wanted).toMatchObject({ clusterName: 'blue', name: 'nodes', tags })
  expect(graph.get('policy/KarpenterControllerInterruptionPolicy-blue').wanted).toMatchObject({
    clusterName: 'blue',
    arn: policy('KarpenterControllerInterruptionPolicy'),
    document: { Version: '2012-10-17' }
  })
})

const newest = [
  'NodeLifecyclePolicy',
  'IAMIntegrationPolicy',
  'EKSIntegrationPolicy',
  'InterruptionPolicy',
  'ZonalShiftPolicy',
  'ResourceDiscoveryPolicy'
].map((name) => policy(`KarpenterController${name}`))

test('the controller role has the policies of the stack, and those of other versions are retired', async () => {
  const graph = await modelOf(podIdentity)
  const retired = [policy('KarpenterControllerPolicy')]
  expect(graph.get('controller-role-policies').wanted).toEqual({
    clusterName: 'blue',
    roleName: 'controller',
    policyArns: newest,
    retiredPolicyArns: retired,
    furtherPolicyArns: []
  })
  expect(graph.get('retired-parts').wanted).toEqual({
    roleName: 'controller',
    policyArns: retired,
    template: textField(graph.get('stack').wanted, 'template')
  })
})

test('a policy of another version that the user asks for by name is not taken off', async () => {
  const asked = policy('KarpenterControllerPolicy')
  const graph = await modelOf({ inputs: { 'controller-role-policies': asked } })
  expect(graph.get('retired-parts').wanted).toMatchObject({ policyArns: [] })
  expect(graph.get('controller-role-policies').wanted).toMatchObject({ furtherPolicyArns: [asked] })
})

test('of an installation that was taken over, policies that are of no stack of ours stay on the role', async () => {
  const others = policy('KarpenterControllerPolicy')
  const graph = await modelOf({
    adopted: true,
    installation: { stack: { name: 'Karpenter-blue', version: '1.2.1', ids: ['KarpenterNodeRole-blue'] } }
  })
  expect(graph.get('controller-role-policies').wanted).toMatchObject({
    policyArns: [...newest, others],
    retiredPolicyArns: []
  })
})

test('CRDs that are left to others are wanted by nobody', async () => {
  expect((await modelOf({ inputs: { crds: 'leave' } })).get('crds').wanted).toMatchObject({ left: true })
  expect((await modelOf({})).get('crds').wanted).toEqual({
    version: '1.14.1',
    crds: expect.any(Array) as unknown
  })
})

const found: Pick<Discovery, 'subnets' | 'securityGroups'> = {
  subnets: ['blue', 'green', undefined].map((tag, index) => ({
    id: `subnet-${index}`,
    vpcId: 'vpc-1',
    availabilityZone: 'eu-west-1a',
    availableAddresses: 100,
    publicAddresses: false,
    tags: tagged(tag)
  })),
  securityGroups: ['green', 'blue', undefined].map((tag, index) => ({
    id: `sg-${index}`,
    name: 'blue',
    vpcId: 'vpc-1',
    tags: tagged(tag)
  }))
}

function tagged(cluster: string | undefined): Readonly<Record<string, string>> {
  return cluster === undefined ? {} : { 'karpenter.sh/discovery': cluster }
}

test.each([
  ['tags', ['subnet-0', 'subnet-1', 'subnet-2'], ['sg-0', 'sg-1', 'sg-2']],
  ['ids', ['subnet-0'], ['sg-1']]
])(
  'discovery by %s: what is chosen is tagged, or what bears the tag of this cluster already stays tagged',
  async (discovery, subnetIds, groupIds) => {
    const graph = await modelOf({ inputs: { discovery }, found })
    expect(graph.get('subnet-tags').wanted).toEqual({ clusterName: 'blue', ids: subnetIds })
    expect(graph.get('security-group-tags').wanted).toEqual({ clusterName: 'blue', ids: groupIds })
  }
)
