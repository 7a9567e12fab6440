export interface GuidesPolicyFacts {
  readonly region: string
  readonly accountId: string
  readonly clusterName: string
  readonly nodeRole: string
}

type Statement = Readonly<Record<string, unknown>>

/**
 * What the guide "Migrating from Cluster Autoscaler" gives the controller (1.2): most of EC2 on everything, nothing of a
 * queue, and instance profiles of this cluster's node classes.
 */
export function guidesInlinePolicy(facts: GuidesPolicyFacts): Readonly<Record<string, unknown>> {
  const { region, accountId, clusterName, nodeRole } = facts
  const cluster = `kubernetes.io/cluster/${clusterName}`
  const statements: readonly Statement[] = [
    allow('Karpenter', [
      'ssm:GetParameter',
      ...[
        'DescribeImages',
        'RunInstances',
        'DescribeSubnets',
        'DescribeSecurityGroups',
        'DescribeLaunchTemplates',
        'DescribeInstances',
        'DescribeInstanceTypes',
        'DescribeInstanceTypeOfferings',
        'DeleteLaunchTemplate',
        'CreateTags',
        'CreateLaunchTemplate',
        'CreateFleet',
        'DescribeSpotPriceHistory'
      ].map((action) => `ec2:${action}`),
      'pricing:GetProducts'
    ]),
    {
      ...allow('ConditionalEC2Termination', 'ec2:TerminateInstances'),
      Condition: { StringLike: { 'ec2:ResourceTag/karpenter.sh/nodepool': '*' } }
    },
    allow('PassNodeIAMRole', 'iam:PassRole', `arn:aws:iam::${accountId}:role/${nodeRole}`),
    allow(
      'EKSClusterEndpointLookup',
      'eks:DescribeCluster',
      `arn:aws:eks:${region}:${accountId}:cluster/${clusterName}`
    ),
    {
      ...allow('AllowScopedInstanceProfileCreationActions', ['iam:CreateInstanceProfile']),
      Condition: profileOf('RequestTag')
    },
    {
      ...allow('AllowScopedInstanceProfileTagActions', ['iam:TagInstanceProfile']),
      Condition: merged(profileOf('ResourceTag'), profileOf('RequestTag'))
    },
    {
      ...allow('AllowScopedInstanceProfileActions', [
        'iam:AddRoleToInstanceProfile',
        'iam:RemoveRoleFromInstanceProfile',
        'iam:DeleteInstanceProfile'
      ]),
      Condition: profileOf('ResourceTag')
    },
    allow('AllowInstanceProfileReadActions', 'iam:GetInstanceProfile')
  ]
  return { Statement: statements, Version: '2012-10-17' }

  function profileOf(of: 'RequestTag' | 'ResourceTag'): Condition {
    return {
      StringEquals: {
        [`aws:${of}/${cluster}`]: 'owned',
        [`aws:${of}/topology.kubernetes.io/region`]: region
      },
      StringLike: { [`aws:${of}/karpenter.k8s.aws/ec2nodeclass`]: '*' }
    }
  }
}

type Condition = Readonly<Record<'StringEquals' | 'StringLike', Readonly<Record<string, string>>>>

function merged(one: Condition, other: Condition): Condition {
  return {
    StringEquals: { ...one.StringEquals, ...other.StringEquals },
    StringLike: { ...one.StringLike, ...other.StringLike }
  }
}

function allow(Sid: string, Action: string | readonly string[], Resource = '*'): Statement {
  return { Sid, Effect: 'Allow', Action, Resource }
}
