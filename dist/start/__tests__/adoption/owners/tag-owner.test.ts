import { ownerByTags, ownerOfStack } from '../../../src/adoption/owners/tag-owner.js'
import { ownerText } from '../../../src/adoption/owners/owner-evidence.js'

const stack = (name: string) => ({ 'aws:cloudformation:stack-name': name })

test('what carries our tag for this cluster is ours, whatever else is on it', () => {
  const tags = { 'setup-karpenter:owner': 'blue', 'managed-by': 'terraform', ...stack('Karpenter-blue') }
  expect(ownerByTags({ tags }, 'blue')).toEqual({ kind: 'ours' })
  expect(ownerOfStack({ tags, name: 'Karpenter-blue' }, 'blue')).toEqual({ kind: 'ours' })
})

test('what carries our tag for another cluster is that one', () => {
  expect(ownerByTags({ tags: { 'setup-karpenter:owner': 'green' } }, 'blue')).toEqual({
    kind: 'other',
    who: 'setup-karpenter of cluster green',
    evidence: ['tag setup-karpenter:owner=green']
  })
})

test.each([
  ['CloudFormation stack Karpenter-blue', stack('Karpenter-blue')],
  ['eksctl', { 'alpha.eksctl.io/cluster-name': 'blue' }],
  ['eksctl', { 'eksctl.cluster.k8s.io/v1alpha1/cluster-name': 'blue' }],
  ['eksctl, CloudFormation stack eksctl-blue-karpenter', stack('eksctl-blue-karpenter')],
  ['kubectl datadog', { 'managed-by': 'kubectl-datadog', version: '1.20.0' }],
  [
    'kubectl datadog, CloudFormation stack dd-karpenter-blue-karpenter',
    { 'managed-by': 'kubectl-datadog', ...stack('dd-karpenter-blue-karpenter') }
  ],
  ['kubectl datadog', { 'managed-by': 'dd-karpenter' }],
  ['Terraform', { Terraform: 'true', Environment: 'dev' }],
  ['Terraform', { ManagedBy: 'Terraform' }],
  ['Terraform', { 'Provisioned By': 'OpenTofu' }],
  ['Terraform', { 'terraform-aws-modules': 'eks' }],
  ['Terraform', { Example: 'ex', GithubRepo: 'terraform-aws-eks', GithubOrg: 'terraform-aws-modules' }],
  ['Pulumi', { 'managed-by': 'pulumi' }],
  ['AWS CDK, CloudFormation stack Network', { 'aws-cdk:subnet-name': 'Private', ...stack('Network') }],
  ['Crossplane', { 'crossplane-kind': 'role.iam.aws.crossplane.io', 'crossplane-name': 'node' }],
  ['ACK', { 'services.k8s.aws/controller-version': 'iam-1.3.13' }],
  ['ACK', { 'eks:eks-capability-arn': 'arn:aws:eks:eu-west-1:111122223333:capability/blue/ack/x' }],
  ['kops', { 'kops.k8s.io/instancegroup': 'nodes' }],
  ['EKS', { 'aws:eks:cluster-name': 'blue', 'kubernetes.io/cluster/blue': 'owned' }],
  ['Karpenter', { 'karpenter.k8s.aws/ec2nodeclass': 'default', 'kubernetes.io/cluster/blue': 'owned' }],
  ['platform-team', { ManagedBy: 'platform-team' }]
])('%s is read from %j', (who, tags) => {
  expect(ownerByTags({ tags }, 'blue')).toMatchObject({ kind: 'other', who })
})

test.each([
  {},
  { Name: 'blue-private-1', 'kubernetes.io/role/internal-elb': '1', 'karpenter.sh/discovery': 'blue' },
  { terraform: 'false' },
  { GithubRepo: 'octo-org/clusters' }
])('tags %j name nobody', (tags) => {
  expect(ownerByTags({ tags, name: 'KarpenterNodeRole-blue' }, 'blue')).toEqual({
    kind: 'unmarked',
    evidence: []
  })
})

test("a name whose end Terraform made is Terraform's", () => {
  const name = 'KarpenterController-20260102030405123400000001'
  expect(ownerText(ownerByTags({ tags: {}, name }, 'blue'))).toBe(
    `Terraform (name ${name}, whose end is that of Terraform's name_prefix)`
  )
  expect(ownerByTags({ tags: {}, name: 'KarpenterController-20261302030405123400000001' }, 'blue').kind).toBe(
    'unmarked'
  )
})

test('every tag that says who it is stands in the evidence', () => {
  const tags = { ...stack('eksctl-blue-karpenter'), 'alpha.eksctl.io/cluster-name': 'blue', Name: 'x' }
  expect(ownerByTags({ tags }, 'blue')).toEqual({
    kind: 'other',
    who: 'eksctl, CloudFormation stack eksctl-blue-karpenter',
    evidence: [
      'tag aws:cloudformation:stack-name=eksctl-blue-karpenter',
      'tag alpha.eksctl.io/cluster-name=blue'
    ]
  })
})

test.each([
  ['Karpenter-blue', {}, { kind: 'unmarked', evidence: [] }],
  [
    'eksctl-blue-karpenter',
    {},
    { kind: 'other', who: 'eksctl', evidence: ['stack name eksctl-blue-karpenter'] }
  ],
  [
    'dd-karpenter-blue-dd-karpenter',
    { 'managed-by': 'kubectl-datadog' },
    {
      kind: 'other',
      who: 'kubectl datadog',
      evidence: ['tag managed-by=kubectl-datadog', 'stack name dd-karpenter-blue-dd-karpenter']
    }
  ]
])('whose the stack %s is', (name, tags, owner) => {
  expect(ownerOfStack({ name, tags }, 'blue')).toEqual(owner)
})
