import type { JsonMap } from '../engine/json.js'
import { inSpan, type Span } from './versions.js'

/**
 * What Karpenter's controller may do, by version: one row a statement. Sources: the CloudFormation template at each
 * tag of aws/karpenter-provider-aws (path in template.ts), held to them by digests in __tests__/karpenter; of 1.15, what
 * website/content/en/v1.15/reference/cloudformation.md says of each statement.
 *
 * ${...} is CloudFormation's own, resolved when the stack is made.
 */
export interface PermissionRow {
  /** The policy it sits in from 1.9 on; up to 1.8 all rows are in one. */
  readonly policy: PolicyName
  readonly sid: string
  readonly span?: Span
  readonly actions: readonly Versioned[]
  readonly resources: readonly Versioned[]
  readonly conditions?: JsonMap
}

/** A text that only some versions have. */
export type Versioned = string | { readonly value: string; readonly span: Span }

export type PolicyName =
  'NodeLifecycle' | 'IAMIntegration' | 'EKSIntegration' | 'Interruption' | 'ZonalShift' | 'ResourceDiscovery'

const ec2 = (resource: string): string => `arn:\${AWS::Partition}:ec2:\${AWS::Region}:${resource}`
const instanceProfiles = 'arn:${AWS::Partition}:iam::${AWS::AccountId}:instance-profile/*'
const cluster = 'arn:${AWS::Partition}:eks:${AWS::Region}:${AWS::AccountId}:cluster/${ClusterName}'
const owned = 'kubernetes.io/cluster/${ClusterName}'
const nodePool = 'karpenter.sh/nodepool'
const nodeClass = 'karpenter.k8s.aws/ec2nodeclass'
const regionLabel = 'topology.kubernetes.io/region'

const launched = [
  'fleet',
  'instance',
  'volume',
  'network-interface',
  'launch-template',
  'spot-instances-request'
].map((kind) => ec2(`*:${kind}/*`))
const resourceIsOwned: JsonMap = {
  StringEquals: { [`aws:ResourceTag/${owned}`]: 'owned' },
  StringLike: { [`aws:ResourceTag/${nodePool}`]: '*' }
}
const requestIsOwned: JsonMap = {
  [`aws:RequestTag/${owned}`]: 'owned',
  'aws:RequestTag/eks:eks-cluster-name': '${ClusterName}'
}

const nodeLifecycle: readonly PermissionRow[] = [
  {
    policy: 'NodeLifecycle',
    sid: 'AllowScopedEC2InstanceAccessActions',
    actions: ['ec2:RunInstances', 'ec2:CreateFleet'],
    resources: [
      ec2(':image/*'),
      ec2(':snapshot/*'),
      ec2('*:security-group/*'),
      ec2('*:subnet/*'),
      { value: ec2('*:capacity-reservation/*'), span: { from: '1.3.0' } },
      { value: ec2('*:placement-group/*'), span: { from: '1.11.0' } }
    ]
  },
  {
    policy: 'NodeLifecycle',
    sid: 'AllowScopedEC2LaunchTemplateAccessActions',
    actions: ['ec2:RunInstances', 'ec2:CreateFleet'],
    resources: [ec2('*:launch-template/*')],
    conditions: resourceIsOwned
  },
  {
    policy: 'NodeLifecycle',
    sid: 'AllowScopedEC2InstanceActionsWithTags',
    actions: ['ec2:RunInstances', 'ec2:CreateFleet', 'ec2:CreateLaunchTemplate'],
    resources: [
      ...launched,
      { value: ec2('*:capacity-reservation/*'), span: { from: '1.3.0', before: '1.9.0' } }
    ],
    conditions: { StringEquals: requestIsOwned, StringLike: { [`aws:RequestTag/${nodePool}`]: '*' } }
  },
  {
    policy: 'NodeLifecycle',
    sid: 'AllowScopedResourceCreationTagging',
    actions: ['ec2:CreateTags'],
    resources: launched,
    conditions: {
      StringEquals: {
        ...requestIsOwned,
        'ec2:CreateAction': ['RunInstances', 'CreateFleet', 'CreateLaunchTemplate']
      },
      StringLike: { [`aws:RequestTag/${nodePool}`]: '*' }
    }
  },
  {
    policy: 'NodeLifecycle',
    sid: 'AllowScopedResourceTagging',
    actions: ['ec2:CreateTags'],
    resources: [ec2('*:instance/*')],
    conditions: {
      ...resourceIsOwned,
      StringEqualsIfExists: { 'aws:RequestTag/eks:eks-cluster-name': '${ClusterName}' },
      'ForAllValues:StringEquals': {
        'aws:TagKeys': ['eks:eks-cluster-name', 'karpenter.sh/nodeclaim', 'Name']
      }
    }
  },
  {
    policy: 'NodeLifecycle',
    sid: 'AllowScopedDeletion',
    actions: [
      'ec2:TerminateInstances',
      { value: 'ec2:RebootInstances', span: { from: '1.15.0' } },
      'ec2:DeleteLaunchTemplate'
    ],
    resources: [ec2('*:instance/*'), ec2('*:launch-template/*')],
    conditions: resourceIsOwned
  }
]

const resourceDiscovery: readonly PermissionRow[] = [
  {
    policy: 'ResourceDiscovery',
    sid: 'AllowRegionalReadActions',
    actions: [
      { value: 'ec2:DescribeAvailabilityZones', span: { before: '1.1.0' } },
      { value: 'ec2:DescribeCapacityReservations', span: { from: '1.3.0' } },
      'ec2:DescribeImages',
      'ec2:DescribeInstances',
      { value: 'ec2:DescribeInstanceStatus', span: { from: '1.13.0' } },
      'ec2:DescribeInstanceTypeOfferings',
      'ec2:DescribeInstanceTypes',
      'ec2:DescribeLaunchTemplates',
      { value: 'ec2:DescribePlacementGroups', span: { from: '1.11.0' } },
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeSpotPriceHistory',
      'ec2:DescribeSubnets'
    ],
    resources: ['*'],
    conditions: { StringEquals: { 'aws:RequestedRegion': '${AWS::Region}' } }
  },
  {
    policy: 'ResourceDiscovery',
    sid: 'AllowUnscopedEC2DescribeInstanceStatus',
    span: { from: '1.12.0', before: '1.13.0' },
    actions: ['ec2:DescribeInstanceStatus'],
    resources: ['*']
  },
  {
    policy: 'ResourceDiscovery',
    sid: 'AllowSSMReadActions',
    actions: ['ssm:GetParameter'],
    resources: ['arn:${AWS::Partition}:ssm:${AWS::Region}::parameter/aws/service/*']
  },
  {
    policy: 'ResourceDiscovery',
    sid: 'AllowPricingReadActions',
    actions: ['pricing:GetProducts'],
    resources: ['*']
  },
  {
    policy: 'ResourceDiscovery',
    sid: 'AllowUnscopedInstanceProfileListAction',
    span: { from: '1.7.0' },
    actions: ['iam:ListInstanceProfiles'],
    resources: ['*']
  },
  {
    policy: 'ResourceDiscovery',
    sid: 'AllowInstanceProfileReadActions',
    actions: ['iam:GetInstanceProfile'],
    resources: [instanceProfiles]
  }
]

const iamIntegration: readonly PermissionRow[] = [
  {
    policy: 'IAMIntegration',
    sid: 'AllowPassingInstanceRole',
    span: { before: '1.1.0' },
    actions: ['iam:PassRole'],
    resources: ['${KarpenterNodeRole.Arn}'],
    conditions: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } }
  },
  {
    policy: 'IAMIntegration',
    sid: 'AllowPassingInstanceRole',
    span: { from: '1.1.0' },
    actions: ['iam:PassRole'],
    resources: ['${KarpenterNodeRole.Arn}'],
    conditions: { StringEquals: { 'iam:PassedToService': ['ec2.amazonaws.com', 'ec2.amazonaws.com.cn'] } }
  },
  {
    policy: 'IAMIntegration',
    sid: 'AllowScopedInstanceProfileCreationActions',
    actions: ['iam:CreateInstanceProfile'],
    resources: [instanceProfiles],
    conditions: {
      StringEquals: { ...requestIsOwned, [`aws:RequestTag/${regionLabel}`]: '${AWS::Region}' },
      StringLike: { [`aws:RequestTag/${nodeClass}`]: '*' }
    }
  },
  {
    policy: 'IAMIntegration',
    sid: 'AllowScopedInstanceProfileTagActions',
    actions: ['iam:TagInstanceProfile'],
    resources: [instanceProfiles],
    conditions: {
      StringEquals: {
        [`aws:ResourceTag/${owned}`]: 'owned',
        [`aws:ResourceTag/${regionLabel}`]: '${AWS::Region}',
        ...requestIsOwned,
        [`aws:RequestTag/${regionLabel}`]: '${AWS::Region}'
      },
      StringLike: { [`aws:ResourceTag/${nodeClass}`]: '*', [`aws:RequestTag/${nodeClass}`]: '*' }
    }
  },
  {
    policy: 'IAMIntegration',
    sid: 'AllowScopedInstanceProfileActions',
    actions: [
      'iam:AddRoleToInstanceProfile',
      'iam:RemoveRoleFromInstanceProfile',
      'iam:DeleteInstanceProfile'
    ],
    resources: [instanceProfiles],
    conditions: {
      StringEquals: {
        [`aws:ResourceTag/${owned}`]: 'owned',
        [`aws:ResourceTag/${regionLabel}`]: '${AWS::Region}'
      },
      StringLike: { [`aws:ResourceTag/${nodeClass}`]: '*' }
    }
  }
]

const others: readonly PermissionRow[] = [
  {
    policy: 'EKSIntegration',
    sid: 'AllowAPIServerEndpointDiscovery',
    actions: ['eks:DescribeCluster'],
    resources: [cluster]
  },
  {
    policy: 'Interruption',
    sid: 'AllowInterruptionQueueActions',
    actions: ['sqs:DeleteMessage', 'sqs:GetQueueUrl', 'sqs:ReceiveMessage'],
    resources: ['${KarpenterInterruptionQueue.Arn}']
  },
  {
    // 1.12 named the cluster as resource, which the action does not know: the statement allowed nothing.
    policy: 'ZonalShift',
    sid: 'AllowZonalShiftStatusReadOnly',
    span: { from: '1.12.0', before: '1.13.0' },
    actions: ['arc-zonal-shift:GetManagedResource'],
    resources: [cluster]
  },
  {
    policy: 'ZonalShift',
    sid: 'AllowZonalShiftStatusReadOnly',
    span: { from: '1.13.0' },
    actions: ['arc-zonal-shift:GetManagedResource'],
    resources: ['*'],
    conditions: { StringEquals: { 'arc-zonal-shift:ResourceIdentifier': cluster } }
  }
]

const rows: readonly PermissionRow[] = [...nodeLifecycle, ...iamIntegration, ...others, ...resourceDiscovery]

/** A statement as IAM takes it, with CloudFormation's placeholders still in it. */
export interface PolicyStatement {
  readonly Sid: string
  readonly Effect: 'Allow'
  readonly Action: readonly string[]
  readonly Resource: readonly string[]
  readonly Condition?: JsonMap
}

/** All statements of one Karpenter version, by policy. */
export function permissionsOf(
  version: string
): readonly { readonly policy: PolicyName; readonly statement: PolicyStatement }[] {
  const of = (values: readonly Versioned[]): readonly string[] =>
    values.flatMap((value) =>
      typeof value === 'string' ? [value] : inSpan(version, value.span) ? [value.value] : []
    )
  return rows
    .filter((row) => row.span === undefined || inSpan(version, row.span))
    .map((row) => ({
      policy: row.policy,
      statement: {
        Sid: row.sid,
        Effect: 'Allow',
        Action: of(row.actions),
        Resource: of(row.resources),
        ...(row.conditions !== undefined && { Condition: row.conditions })
      }
    }))
}
