/**
 * The one policy that terraform-aws-modules/eks/aws//modules/karpenter (21.x, policy.tf) gives the controller. It is of
 * Karpenter's own make up to 1.8, with the permissions that later versions ask for besides.
 */

type Json = Readonly<Record<string, unknown>>

export interface PolicyFacts {
  readonly cluster: string
  readonly region: string
  readonly account: string
  readonly queueArn: string
  readonly nodeRoleArn: string
}

export function terraformPolicy(facts: PolicyFacts): string {
  const Statement = [...ec2(facts), ...reads(facts), ...nodeRole(facts), ...instanceProfiles(facts)]
  return JSON.stringify({ Version: '2012-10-17', Statement })
}

function statement(Sid: string, Action: readonly string[], Resource: unknown, Condition?: Json): Json {
  return { Sid, Effect: 'Allow', Action, Resource, ...(Condition !== undefined && { Condition }) }
}

const owned = (cluster: string): string => `kubernetes.io/cluster/${cluster}`
const nodePool = 'karpenter.sh/nodepool'
const nodeClass = 'karpenter.k8s.aws/ec2nodeclass'
const regionTag = 'topology.kubernetes.io/region'

function ec2({ cluster, region }: PolicyFacts): readonly Json[] {
  const arns = (account: string, ...kinds: readonly string[]): readonly string[] =>
    kinds.map((kind) => `arn:aws:ec2:${region}:${account}:${kind}/*`)
  const made = [
    ...['fleet', 'instance', 'volume', 'network-interface', 'launch-template', 'spot-instances-request']
  ]
  const ofCluster = {
    [`aws:RequestTag/${owned(cluster)}`]: 'owned',
    'aws:RequestTag/eks:eks-cluster-name': cluster
  }
  const ofNodePool = { StringLike: { [`aws:RequestTag/${nodePool}`]: '*' } }
  const standing = {
    StringEquals: { [`aws:ResourceTag/${owned(cluster)}`]: 'owned' },
    StringLike: { [`aws:ResourceTag/${nodePool}`]: '*' }
  }
  const launch = ['ec2:RunInstances', 'ec2:CreateFleet']
  return [
    statement('AllowScopedEC2InstanceAccessActions', launch, [
      ...arns('', 'image', 'snapshot'),
      ...arns('*', 'security-group', 'subnet', 'capacity-reservation', 'placement-group')
    ]),
    statement('AllowScopedEC2LaunchTemplateAccessActions', launch, arns('*', 'launch-template'), standing),
    statement(
      'AllowScopedEC2InstanceActionsWithTags',
      [...launch, 'ec2:CreateLaunchTemplate'],
      arns('*', ...made),
      { StringEquals: ofCluster, ...ofNodePool }
    ),
    statement('AllowScopedResourceCreationTagging', ['ec2:CreateTags'], arns('*', ...made), {
      StringEquals: {
        ...ofCluster,
        'ec2:CreateAction': ['RunInstances', 'CreateFleet', 'CreateLaunchTemplate']
      },
      ...ofNodePool
    }),
    statement('AllowScopedResourceTagging', ['ec2:CreateTags'], arns('*', 'instance'), {
      ...standing,
      StringEqualsIfExists: { 'aws:RequestTag/eks:eks-cluster-name': cluster },
      'ForAllValues:StringEquals': {
        'aws:TagKeys': ['eks:eks-cluster-name', 'karpenter.sh/nodeclaim', 'Name']
      }
    }),
    statement(
      'AllowScopedDeletion',
      ['ec2:TerminateInstances', 'ec2:DeleteLaunchTemplate'],
      arns('*', 'instance', 'launch-template'),
      standing
    )
  ]
}

function reads({ cluster, region, account, queueArn }: PolicyFacts): readonly Json[] {
  const described = [
    ...['CapacityReservations', 'AvailabilityZones', 'Images', 'Instances', 'InstanceTypeOfferings'],
    ...['InstanceTypes', 'LaunchTemplates', 'SecurityGroups', 'InstanceStatus', 'SpotPriceHistory'],
    ...['Subnets', 'PlacementGroups']
  ]
  const clusterArn = `arn:aws:eks:${region}:${account}:cluster/${cluster}`
  return [
    statement(
      'AllowRegionalReadActions',
      described.map((what) => `ec2:Describe${what}`),
      '*',
      { StringEquals: { 'aws:RequestedRegion': region } }
    ),
    statement('AllowSSMReadActions', ['ssm:GetParameter'], `arn:aws:ssm:${region}::parameter/aws/service/*`),
    statement('AllowPricingReadActions', ['pricing:GetProducts'], '*'),
    statement('AllowZonalShiftReadActions', ['arc-zonal-shift:GetManagedResource'], clusterArn),
    statement(
      'AllowInterruptionQueueActions',
      ['sqs:DeleteMessage', 'sqs:GetQueueUrl', 'sqs:ReceiveMessage'],
      queueArn
    ),
    statement('AllowAPIServerEndpointDiscovery', ['eks:DescribeCluster'], clusterArn)
  ]
}

function nodeRole({ nodeRoleArn }: PolicyFacts): readonly Json[] {
  const condition = { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } }
  return [statement('AllowPassingInstanceRole', ['iam:PassRole'], nodeRoleArn, condition)]
}

function instanceProfiles({ cluster, region, account }: PolicyFacts): readonly Json[] {
  const all = `arn:aws:iam::${account}:instance-profile/*`
  const asked = {
    [`aws:RequestTag/${owned(cluster)}`]: 'owned',
    'aws:RequestTag/eks:eks-cluster-name': cluster,
    [`aws:RequestTag/${regionTag}`]: region
  }
  const standing = {
    [`aws:ResourceTag/${owned(cluster)}`]: 'owned',
    [`aws:ResourceTag/${regionTag}`]: region
  }
  const askedFor = { [`aws:RequestTag/${nodeClass}`]: '*' }
  const standingFor = { [`aws:ResourceTag/${nodeClass}`]: '*' }
  return [
    statement('AllowScopedInstanceProfileCreationActions', ['iam:CreateInstanceProfile'], all, {
      StringEquals: asked,
      StringLike: askedFor
    }),
    statement('AllowScopedInstanceProfileTagActions', ['iam:TagInstanceProfile'], all, {
      StringEquals: { ...standing, ...asked },
      StringLike: { ...standingFor, ...askedFor }
    }),
    statement(
      'AllowScopedInstanceProfileActions',
      ['AddRoleToInstanceProfile', 'RemoveRoleFromInstanceProfile', 'DeleteInstanceProfile'].map(
        (action) => `iam:${action}`
      ),
      all,
      { StringEquals: standing, StringLike: standingFor }
    ),
    statement('AllowInstanceProfileReadActions', ['iam:GetInstanceProfile'], all),
    statement('AllowUnscopedInstanceProfileListAction', ['iam:ListInstanceProfiles'], '*')
  ]
}
