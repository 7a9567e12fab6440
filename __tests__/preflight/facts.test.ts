import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import { termsOf } from '../../src/adoption/terms.js'
import type { Aws } from '../../src/aws/clients.js'
import { type Facts, factsOf } from '../../src/preflight/facts.js'
import { factsOf as adoptionFacts } from '../adoption/found.js'
import { awsWith } from '../aws/stand-in.js'
import { textResource } from '../engine/fake-resources.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { checkedOf } from './checked.js'

type Read = {
  [K in keyof Facts]: Facts[K] extends (...question: never) => unknown ? K : never
}[keyof Facts]

const need = { actions: ['iam:CreateRole'], resources: ['arn:r'], context: {} }
const crd: CustomResourceDefinition = {
  metadata: { name: 'provisioners.karpenter.sh' },
  spec: {
    group: 'karpenter.sh',
    names: { kind: 'Provisioner', plural: 'provisioners' },
    scope: 'Cluster',
    versions: [{ name: 'v1alpha5', served: true, storage: true }]
  }
}
const manifest = { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata: { name: 'a' } }

/** Read before preflight, or made of what was. */
type OfTheRun =
  | 'cniRole'
  | 'nodes'
  | 'othersNodes'
  | 'inspections'
  | 'changes'
  | 'needs'
  | 'replacingCrds'
  | 'admissionRefusals'
  | 'helm'

/** How each read is asked; one that is missing does not compile. */
const ofClients: Readonly<Record<Exclude<Read, OfTheRun>, (facts: Facts) => Promise<unknown>>> = {
  simulate: async ({ simulate }) => simulate('arn:p', [need]),
  othersDocuments: async ({ othersDocuments }) => othersDocuments(),
  nodePolicies: async ({ nodePolicies }) => nodePolicies(),
  queueUrl: async ({ queueUrl }) => queueUrl('other'),
  published: async ({ published }) => published(['/a']),
  profiles: async ({ profiles }) => profiles(),
  podsOn: async ({ podsOn }) => podsOn('ip-1'),
  controllerNodes: async ({ controllerNodes }) => controllerNodes(),
  podIdentityAgentNodes: async ({ podIdentityAgentNodes }) => podIdentityAgentNodes(),
  releases: async ({ releases }) => releases(),
  webhooks: async ({ webhooks }) => webhooks(),
  crd: async (facts) => facts.crd('provisioners.karpenter.sh'),
  objectsOf: async ({ objectsOf }) => objectsOf('provisioners.karpenter.sh'),
  keptCrds: async ({ keptCrds }) => keptCrds(),
  nodePoolRemains: async ({ nodePoolRemains }) => nodePoolRemains(),
  standingNodes: async ({ standingNodes }) => standingNodes(),
  refusals: async ({ refusals }) => refusals(),
  nodeClass: async ({ nodeClass }) => nodeClass('other'),
  subnetsOf: async ({ subnetsOf }) => subnetsOf({ id: 'subnet-9' }),
  securityGroupsOf: async ({ securityGroupsOf }) => securityGroupsOf({ id: 'sg-9' }),
  nodeRole: async ({ nodeRole }) => nodeRole('r'),
  instanceProfile: async ({ instanceProfile }) => instanceProfile('p'),
  anyImage: async ({ anyImage }) => anyImage({ id: 'ami-1' }),
  offeredTypes: async ({ offeredTypes }) => offeredTypes(['a'], []),
  describedTypes: async ({ describedTypes }) => describedTypes(['m5.large']),
  routeTables: async ({ routeTables }) => routeTables(),
  endpoints: async ({ endpoints }) => endpoints(),
  taggedSubnets: async ({ taggedSubnets }) => taggedSubnets(),
  taggedSecurityGroups: async ({ taggedSecurityGroups }) => taggedSecurityGroups(),
  nodeInstances: async ({ nodeInstances }) => nodeInstances(['i-1']),
  securityGroupRules: async ({ securityGroupRules }) => securityGroupRules(['sg-1'])
}

let cluster: ApiServer
let account: Awaited<ReturnType<typeof awsWith>>
beforeAll(async () => {
  cluster = await ApiServer.start()
  cluster.put('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/provisioners.karpenter.sh', { ...crd })
  account = await awsWith({})
})
afterAll(async () => {
  await cluster.stop()
  await account.close()
})

const clients = (): { aws: Aws; kubernetes: ApiServer['kubernetes'] } => ({
  aws: account.aws,
  kubernetes: cluster.kubernetes
})
const theirPolicy = 'arn:aws:iam::111122223333:policy/theirs'
const requests = (): number => cluster.calls.length + account.server.calls.length

async function facts(): Promise<Facts> {
  const inspection = await textResource('a', [], new Map()).inspect(new AbortController().signal)
  const checked = checkedOf(clients(), {
    inputs: { 'node-role-policies': theirPolicy },
    inspections: [inspection]
  })
  const { decisions, found } = checked
  const terms = termsOf(adoptionFacts({}))
  if (terms.kind !== 'compatible') throw new Error('not compatible')
  const { adopted } = terms
  return factsOf({
    ...checked,
    found: {
      ...found,
      adopted: { ...adopted, adoption: { ...adopted.adoption, others: { policyArns: [theirPolicy] } } }
    },
    decisions: {
      ...decisions,
      chart: { ...decisions.chart, crds: [{ ...manifest, metadata: { name: 'x' } }] }
    }
  })
}

it.each(Object.entries(ofClients))('%s is read when it is first asked for, and once', async (_name, ask) => {
  const before = requests()
  const known = await facts()
  expect(requests()).toBe(before)
  const [first] = await Promise.allSettled([ask(known), ask(known)])
  const asked = requests()
  expect(asked).toBeGreaterThan(before)
  const [again] = await Promise.allSettled([ask(known)])
  expect(again).toEqual(first)
  expect(requests()).toBe(asked)
})
