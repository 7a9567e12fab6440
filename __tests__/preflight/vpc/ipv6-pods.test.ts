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
  nodeRolePolicies: [],
  changes: async () => true,
  cniRole: async () => undefined
}

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
  ['the node role gets policies', { nodeRolePolicies: ['arn:aws:iam::111122223333:policy/cni'] }],
  [
    'the VPC CNI has a role of its own',
    { cniRole: async () => ({ strategy: 'irsa', roleArn: 'arn:aws:iam::111122223333:role/cni' }) }
  ],
  ['nothing is to be changed', { changes: async () => false }]
])('no finding where %s', async (_, more) => {
  expect(await ipv6Pods({ ...facts, ...more })).toEqual([])
})
