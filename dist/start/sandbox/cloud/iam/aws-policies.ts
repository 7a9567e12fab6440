import { awsId, type Home } from '../partition.js'
import type { ManagedPolicy } from './managed-policy.js'

/** What AWS's own policies allow, as far as anything in the sandbox acts by them. */
interface Allowed {
  /** Below policy/: aws-service-role/AWSEC2SpotServiceRolePolicy */
  readonly name: string
  readonly actions: readonly string[]
}

const pullImages = [
  'ecr:GetAuthorizationToken',
  'ecr:BatchCheckLayerAvailability',
  'ecr:GetDownloadUrlForLayer',
  'ecr:BatchGetImage'
]

const policies: readonly Allowed[] = [
  { name: 'AdministratorAccess', actions: ['*'] },
  {
    name: 'ReadOnlyAccess',
    actions: [
      'iam:Get*',
      'iam:List*',
      'eks:Describe*',
      'eks:List*',
      'ec2:Describe*',
      'cloudformation:Describe*',
      'cloudformation:Get*',
      'cloudformation:List*',
      'sqs:Get*',
      'sqs:List*',
      'events:Describe*',
      'events:List*',
      'ssm:Get*'
    ]
  },
  {
    name: 'AmazonEKSWorkerNodePolicy',
    actions: [
      'ec2:DescribeInstances',
      'ec2:DescribeInstanceTypes',
      'ec2:DescribeRouteTables',
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeSubnets',
      'ec2:DescribeVolumes',
      'ec2:DescribeVolumesModifications',
      'ec2:DescribeVpcs',
      'eks:DescribeCluster',
      'eks-auth:AssumeRoleForPodIdentity'
    ]
  },
  {
    name: 'AmazonEKSWorkerNodeMinimalPolicy',
    actions: ['eks-auth:AssumeRoleForPodIdentity']
  },
  {
    name: 'AmazonEKS_CNI_Policy',
    actions: [
      'ec2:AssignPrivateIpAddresses',
      'ec2:AttachNetworkInterface',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeInstances',
      'ec2:DescribeTags',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeInstanceTypes',
      'ec2:DescribeSubnets',
      'ec2:DetachNetworkInterface',
      'ec2:ModifyNetworkInterfaceAttribute',
      'ec2:UnassignPrivateIpAddresses'
    ]
  },
  {
    name: 'AmazonSSMManagedInstanceCore',
    actions: [
      'ssm:DescribeAssociation',
      'ssm:GetDocument',
      'ssm:GetManifest',
      'ssm:GetParameter',
      'ssm:GetParameters',
      'ssm:ListAssociations',
      'ssm:UpdateInstanceInformation',
      'ssmmessages:*',
      'ec2messages:*'
    ]
  },
  {
    name: 'AmazonEC2ContainerRegistryReadOnly',
    actions: [...pullImages, 'ecr:DescribeImages', 'ecr:DescribeRepositories', 'ecr:ListImages']
  },
  { name: 'AmazonEC2ContainerRegistryPullOnly', actions: [...pullImages, 'ecr:BatchImportUpstreamImage'] },
  { name: 'AmazonEKSFargatePodExecutionRolePolicy', actions: pullImages },
  { name: 'AmazonEKSClusterPolicy', actions: ['ec2:Describe*', 'elasticloadbalancing:*'] },
  { name: 'CloudWatchAgentServerPolicy', actions: ['cloudwatch:PutMetricData', 'logs:PutLogEvents'] },
  {
    name: 'service-role/AmazonEBSCSIDriverPolicy',
    actions: ['ec2:CreateVolume', 'ec2:AttachVolume', 'ec2:DetachVolume']
  },
  {
    name: 'aws-service-role/AWSEC2SpotServiceRolePolicy',
    actions: ['ec2:DescribeInstances', 'ec2:StopInstances', 'ec2:StartInstances', 'ec2:RunInstances']
  }
]

/** The managed policies that AWS owns and the sandbox knows; any other ARN of AWS's does not exist in it. */
export function awsManagedPolicies(home: Home): readonly ManagedPolicy[] {
  const createdAt = new Date(Date.UTC(2015, 1, 6))
  return policies.map(({ name, actions }) => ({
    name: name.replace(/^.*\//, ''),
    id: awsId('ANPA'),
    arn: `arn:${home.partition}:iam::aws:policy/${name}`,
    path: `/${name.replace(/[^/]*$/, '')}`,
    tags: [],
    versions: [
      {
        id: 'v1',
        document: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }]
        }),
        createdAt,
        isDefault: true
      }
    ],
    versionsMade: 1,
    createdAt,
    updatedAt: createdAt
  }))
}
