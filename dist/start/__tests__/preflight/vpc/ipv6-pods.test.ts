import { UserError } from '../../../src/engine/errors.js'
import { ipv6Pods } from '../../../src/preflight/vpc/ipv6-pods.js'

type Facts = Parameters<typeof ipv6Pods>[0]

const facts: Facts = {
  account: {
    id: '111122223333',
    region: 'us-gov-west-1',
    partition: 'aws-us-gov',
    urlSuffix: 'amazonaws.com',
    callerArn: 'arn:aws-us-gov:iam::111122223333:user/u'
  },
  cluster: { name: 'blue', ipFamily: 'ipv6' },
  nodePolicies: async () => ({ documents: [], unread: [] }),
  usesOthersRole: false,
  stack: {
    nodeRole: {
      logicalId: 'KarpenterNodeRole',
      name: 'nodes',
      arn: 'arn:aws-us-gov:iam::111122223333:role/nodes'
    }
  },
  changes: async () => true,
  cniRole: async () => undefined
}

function allowing(...Action: readonly string[]): Awaited<ReturnType<Facts['nodePolicies']>> {
  return { documents: [{ Statement: [{ Effect: 'Allow', Action, Resource: '*' }] }], unread: [] }
}

test('policies that allow other things are not enough', async () => {
  const nodePolicies = async () => allowing('ec2:AssignPrivateIpAddresses', 'logs:*')
  expect(await ipv6Pods({ ...facts, nodePolicies })).toMatchObject([{ level: 'warning' }])
})

test('a node role that was there already is to be given it where it is kept', async () => {
  expect(await ipv6Pods({ ...facts, usesOthersRole: true })).toMatchObject([
    {
      level: 'warning',
      subject: 'node-role-name',
      fix: expect.stringMatching(/^Attach arn:.* to role nodes,/) as unknown
    }
  ])
})

test.each<[string, Partial<Facts>, string]>([
  [
    'the role of the VPC CNI',
    {
      cniRole: async () =>
        Promise.reject(
          new UserError('controller-identity', 'no', 'add it', {
            cause: Object.assign(new Error('not authorized to perform: eks:ListPodIdentityAssociations'), {
              name: 'AccessDeniedException'
            })
          })
        )
    },
    "the role of service account kube-system/aws-node: the run's role may not call eks:ListPodIdentityAssociations"
  ],
  [
    'a policy',
    {
      nodePolicies: async () => ({
        documents: [],
        unread: ["policy a: the run's role may not call iam:GetPolicy"]
      })
    },
    "policy a: the run's role may not call iam:GetPolicy"
  ]
])('%s that may not be read is unknown, and a note', async (_what, more, said) => {
  expect(await ipv6Pods({ ...facts, ...more })).toEqual([
    expect.objectContaining({ level: 'note', problem: expect.stringContaining(said) as unknown })
  ])
})

test('an IPv6 cluster whose new nodes may not assign addresses: the policy to add, in its partition', async () => {
  const [finding, ...more] = await ipv6Pods(facts)
  expect(more).toEqual([])
  expect(finding?.level).toBe('warning')
  expect(finding?.subject).toBe('node-role-policies')
  expect(finding?.fix).toContain(
    'Pass `node-role-policies: arn:aws-us-gov:iam::111122223333:policy/AmazonEKS_CNI_IPv6_Policy`'
  )
  const document: unknown = JSON.parse(/--policy-document '(.*)'$/.exec(finding?.fix ?? '')?.[1] ?? '')
  expect(JSON.stringify(document)).toContain('"ec2:AssignIpv6Addresses"')
  expect(document).toMatchObject({
    Statement: [
      { Resource: '*' },
      { Action: 'ec2:CreateTags', Resource: 'arn:aws-us-gov:ec2:*:*:network-interface/*' }
    ]
  })
})

test.each<[string, Partial<Facts>]>([
  ['the cluster is an IPv4 one', { cluster: { name: 'blue', ipFamily: 'ipv4' } }],
  ['EKS says nothing of it', { cluster: { name: 'blue' } }],
  [
    'the node role gets a policy that allows it',
    { nodePolicies: async () => allowing('ec2:assignipv6addresses') }
  ],
  ['the node role gets a policy that allows more', { nodePolicies: async () => allowing('ec2:*') }],
  [
    'the VPC CNI has a role of its own',
    { cniRole: async () => ({ strategy: 'irsa', roleArn: 'arn:aws:iam::111122223333:role/cni' }) }
  ],
  ['nothing is to be changed', { changes: async () => false }]
])('no finding where %s', async (_, more) => {
  expect(await ipv6Pods({ ...facts, ...more })).toEqual([])
})
