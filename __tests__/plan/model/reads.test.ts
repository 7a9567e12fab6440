import type { InstallRecord } from '../../../src/engine/record.js'
import { inspect, PlayedModel } from './played-model.js'
import type { Shape } from './shapes.js'

let played: PlayedModel
beforeEach(async () => {
  played = await PlayedModel.start()
})
afterEach(async () => played.stop())

/** `5 iam:GetPolicy`, for each call. */
function counted(names: readonly string[]): readonly string[] {
  const counts = Map.groupBy(names, (name) => name)
  return [...counts].map(([name, all]) => `${all.length} ${name}`).toSorted()
}

/** What a look at all of a model asks. */
async function asked(
  shape: Shape
): Promise<{ readonly aws: readonly string[]; readonly cluster: readonly string[] }> {
  const graph = await played.graph(shape)
  played.cloud.clearCalls()
  played.server.calls.length = 0
  await inspect(graph)
  return {
    aws: counted(played.cloud.calls().map(({ service, action }) => `${service}:${action}`)),
    cluster: counted(played.server.calls.map(({ path }) => path))
  }
}

const record: InstallRecord = {
  schema: 1,
  karpenterVersion: '1.14.1',
  run: '',
  time: '2026-11-01T00:00:00Z',
  resources: {}
}

const everyLook = [
  '1 cloudformation:DescribeStacks',
  '1 cloudformation:GetTemplate',
  '1 eks:DescribeAccessEntry',
  '1 eks:DescribeAddon',
  '1 eks:ListPodIdentityAssociations',
  '1 events:ListRules',
  '1 sqs:GetQueueAttributes',
  '2 iam:ListAttachedRolePolicies',
  '2 iam:ListRolePolicies',
  '3 iam:GetRole'
]
const everyObject = [
  '/api/v1/namespaces/karpenter',
  '/api/v1/namespaces/karpenter/pods',
  '/api/v1/namespaces/karpenter/secrets',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ec2nodeclasses.karpenter.k8s.aws',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/nodeclaims.karpenter.sh',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/nodepools.karpenter.sh',
  '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas',
  '/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default',
  '/apis/karpenter.sh/v1/nodepools/default'
].map((path) => `1 ${path}`)

test('where nothing is, what several resources ask for is asked once, and a policy is in one request', async () => {
  expect(await asked({})).toEqual({
    aws: [...everyLook, '1 cloudformation:DescribeStackResources', '6 iam:GetPolicy'].toSorted(),
    cluster: everyObject
  })
})

test('where the record says that all is there, it is asked once too, and a policy is in one request', async () => {
  await played.install(await played.graph())
  expect(await asked({ record })).toEqual({
    aws: [
      ...everyLook,
      '1 eks:DescribePodIdentityAssociation',
      '5 events:ListTargetsByRule',
      '6 iam:GetPolicyVersion'
    ].toSorted(),
    cluster: [...everyObject, '1 /apis/apps/v1/namespaces/karpenter/deployments/karpenter'].toSorted()
  })
})

test('a stack that was read for the decisions is not read again for the first look, and for the next one it is', async () => {
  await played.install(await played.graph())
  const graph = await played.graph({ record, standing: { live: await played.liveStack() } })
  const reads = async (): Promise<number> => {
    played.cloud.clearCalls()
    const inspections = [...(await inspect(graph)).values()]
    expect(inspections.filter(({ state }) => state !== 'as wanted')).toEqual([])
    return played.cloud.calls().filter(({ action }) => action === 'DescribeStacks').length
  }
  expect([await reads(), await reads()]).toEqual([0, 1])
})

test('what a stack has just made is not read again, and all the rest is as wanted', async () => {
  const graph = await played.graph()
  played.cloud.clearCalls()
  await played.install(graph)
  const own = played.cloud.calls().filter(({ via }) => via === undefined)
  const parts = /^(GetPolicy|GetPolicyVersion|GetQueueAttributes|ListRules)$/
  expect(counted(own.map(({ action }) => action).filter((action) => parts.test(action)))).toEqual([
    '1 GetQueueAttributes',
    '1 ListRules',
    '6 GetPolicy'
  ])
  const states = [...(await inspect(await played.graph({ record }))).values()].map(({ state }) => state)
  expect(new Set(states)).toEqual(new Set(['as wanted']))
})

const many = (count: number): string =>
  Array.from(
    { length: count },
    (_, index) => `apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: class-${index} }
spec:
  role: KarpenterNodeRole-blue
  amiSelectorTerms: [{ alias: al2023@latest }]
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: blue } }]
  securityGroupSelectorTerms: [{ tags: { karpenter.sh/discovery: blue } }]
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: pool-${index} }
spec:
  template:
    spec:
      nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: class-${index} }
      requirements: []
`
  ).join('---\n')

test('many NodePools and EC2NodeClasses are read by one list of each kind', async () => {
  const { cluster } = await asked({ inputs: { 'node-pools': many(21) } })
  expect(cluster.filter((line) => /\/apis\/karpenter\./.test(line))).toEqual([
    '1 /apis/karpenter.k8s.aws/v1/ec2nodeclasses',
    '1 /apis/karpenter.sh/v1/nodepools'
  ])
})
