/**
 * Templates of the shape that eksctl 0.231 gives its stacks: pkg/cfn/builder/karpenter.go, pkg/cfn/builder/iam.go, and
 * its mapping of service names by partition.
 */

type Json = Readonly<Record<string, unknown>>

const suffix = '[created and managed by eksctl]'
const partitionMap = 'ServicePrincipalPartitionMap'
const queueArn = { 'Fn::GetAtt': ['KarpenterInterruptionQueue', 'Arn'] }

function document(...statements: readonly Json[]): Json {
  return { Version: '2012-10-17', Statement: statements }
}

/** What eksctl lets the controller do: everything on everything, by service. */
const controllerActions: Readonly<Record<string, readonly string[]>> = {
  ec2: [
    ...['CreateFleet', 'CreateLaunchTemplate', 'CreateTags', 'DeleteLaunchTemplate', 'RunInstances'],
    ...['TerminateInstances', 'DescribeAvailabilityZones', 'DescribeCapacityReservations', 'DescribeImages'],
    ...['DescribeInstanceTypeOfferings', 'DescribeInstanceTypes', 'DescribeInstances'],
    ...['DescribeLaunchTemplates', 'DescribeSecurityGroups', 'DescribeSpotPriceHistory', 'DescribeSubnets']
  ],
  iam: [
    ...['PassRole', 'CreateServiceLinkedRole', 'GetInstanceProfile', 'CreateInstanceProfile'],
    ...['DeleteInstanceProfile', 'TagInstanceProfile', 'AddRoleToInstanceProfile'],
    ...['RemoveRoleFromInstanceProfile', 'ListInstanceProfiles', 'ListInstanceProfilesForRole']
  ],
  eks: ['DescribeCluster'],
  ssm: ['GetParameter'],
  pricing: ['GetProducts']
}

function rule(source: string, detailType: string): Json {
  return {
    Type: 'AWS::Events::Rule',
    Properties: {
      EventPattern: { source: [source], 'detail-type': [detailType] },
      Targets: [{ Id: 'KarpenterInterruptionQueueTarget', Arn: queueArn }]
    }
  }
}

/** The stack eksctl-<cluster>-karpenter with `withSpotInterruptionQueue: true`. */
export function karpenterTemplate(cluster: string): string {
  return JSON.stringify({
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `Karpenter Stack ${suffix}`,
    Mappings: {
      [partitionMap]: {
        aws: { EC2: 'ec2.amazonaws.com', EKS: 'eks.amazonaws.com' },
        'aws-cn': { EC2: 'ec2.amazonaws.com.cn', EKS: 'eks.amazonaws.com' },
        'aws-us-gov': { EC2: 'ec2.amazonaws.com', EKS: 'eks.amazonaws.com' }
      }
    },
    Resources: {
      KarpenterNodeRole: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: `eksctl-KarpenterNodeRole-${cluster}`,
          Path: '/',
          AssumeRolePolicyDocument: document({
            Effect: 'Allow',
            Action: ['sts:AssumeRole'],
            Principal: { Service: [{ 'Fn::FindInMap': [partitionMap, { Ref: 'AWS::Partition' }, 'EC2'] }] }
          }),
          ManagedPolicyArns: [
            'AmazonEC2ContainerRegistryPullOnly',
            'AmazonEKSWorkerNodePolicy',
            'AmazonEKS_CNI_Policy',
            'AmazonSSMManagedInstanceCore'
          ].map((policy) => ({ 'Fn::Sub': `arn:\${AWS::Partition}:iam::aws:policy/${policy}` })),
          Tags: [{ Key: 'Name', Value: { 'Fn::Sub': '${AWS::StackName}/KarpenterNodeRole' } }]
        }
      },
      KarpenterNodeInstanceProfile: {
        Type: 'AWS::IAM::InstanceProfile',
        Properties: {
          InstanceProfileName: `eksctl-KarpenterNodeInstanceProfile-${cluster}`,
          Path: '/',
          Roles: [{ Ref: 'KarpenterNodeRole' }]
        }
      },
      KarpenterControllerPolicy: {
        Type: 'AWS::IAM::ManagedPolicy',
        Properties: {
          ManagedPolicyName: `eksctl-KarpenterControllerPolicy-${cluster}`,
          PolicyDocument: document(
            {
              Effect: 'Allow',
              Resource: '*',
              Action: Object.entries(controllerActions).flatMap(([service, actions]) =>
                actions.map((action) => `${service}:${action}`)
              )
            },
            {
              Effect: 'Allow',
              Resource: queueArn,
              Action: ['DeleteMessage', 'GetQueueAttributes', 'GetQueueUrl', 'ReceiveMessage'].map(
                (action) => `sqs:${action}`
              )
            }
          )
        }
      },
      KarpenterInterruptionQueue: {
        Type: 'AWS::SQS::Queue',
        Properties: { QueueName: cluster, MessageRetentionPeriod: 300 }
      },
      KarpenterInterruptionQueuePolicy: {
        Type: 'AWS::SQS::QueuePolicy',
        Properties: {
          Queues: [{ Ref: 'KarpenterInterruptionQueue' }],
          PolicyDocument: document({
            Effect: 'Allow',
            Principal: { Service: ['events.amazonaws.com', 'sqs.amazonaws.com'] },
            Action: ['sqs:SendMessage'],
            Resource: queueArn
          })
        }
      },
      ScheduledChangeRule: rule('aws.health', 'AWS Health Event'),
      SpotInterruptionRule: rule('aws.ec2', 'EC2 Spot Instance Interruption Warning'),
      RebalanceRule: rule('aws.ec2', 'EC2 Instance Rebalance Recommendation'),
      InstanceStateChangeRule: rule('aws.ec2', 'EC2 Instance State-change Notification')
    }
  })
}

/** A stack that holds one role, Role1: of an iamserviceaccount or of a Pod Identity association. */
export function roleTemplate(role: {
  readonly description: string
  readonly name: string
  readonly trust: Json
  readonly policyArns: readonly string[]
}): string {
  return JSON.stringify({
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `${role.description} ${suffix}`,
    Resources: {
      Role1: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: role.name,
          AssumeRolePolicyDocument: document(role.trust),
          ManagedPolicyArns: role.policyArns
        }
      }
    },
    Outputs: { Role1: { Value: { 'Fn::GetAtt': 'Role1.Arn' } } }
  })
}

export const podIdentityTrust: Json = {
  Effect: 'Allow',
  Action: ['sts:AssumeRole', 'sts:TagSession'],
  Principal: { Service: 'pods.eks.amazonaws.com' }
}

export function serviceAccountTrust(providerArn: string, namespace: string, serviceAccount: string): Json {
  const issuer = providerArn.slice(providerArn.indexOf('oidc-provider/') + 'oidc-provider/'.length)
  return {
    Effect: 'Allow',
    Action: ['sts:AssumeRoleWithWebIdentity'],
    Principal: { Federated: providerArn },
    Condition: {
      StringEquals: {
        [`${issuer}:sub`]: `system:serviceaccount:${namespace}:${serviceAccount}`,
        [`${issuer}:aud`]: 'sts.amazonaws.com'
      }
    }
  }
}
