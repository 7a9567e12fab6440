/** Policies of the first stack, which the second attaches by their names. */
const policies = [
  'NodeLifecycle',
  'IAMIntegration',
  'EKSIntegration',
  'Interruption',
  'ResourceDiscovery',
  'ZonalShift'
]

const sub = (text: string): Readonly<Record<string, string>> => ({ 'Fn::Sub': text })
const ref = (name: string): Readonly<Record<string, string>> => ({ Ref: name })
const account = 'arn:${AWS::Partition}:iam::${AWS::AccountId}'

const choice = {
  Type: 'String',
  Default: 'true',
  AllowedValues: ['true', 'false']
}

const controllerPolicies = policies.map((name) =>
  sub(`${account}:policy/KarpenterController${name}Policy-\${ClusterName}`)
)

const nodeAccessEntry = {
  Type: 'AWS::EKS::AccessEntry',
  Condition: 'ShouldDeployNodeAccessEntry',
  Properties: {
    ClusterName: ref('ClusterName'),
    PrincipalArn: sub(`${account}:role/KarpenterNodeRole-\${ClusterName}`),
    Type: 'EC2_LINUX'
  }
}

const whereNodesHaveAccessEntries = {
  ShouldDeployNodeAccessEntry: { 'Fn::Equals': [ref('DeployNodeAccessEntry'), 'true'] }
}

/** The second stack of kubectl-datadog for a controller on nodes that are there (dd-karpenter.yaml). */
export function existingNodesStack(): Readonly<Record<string, unknown>> {
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: 'IAM role for pod identity association',
    Parameters: {
      ClusterName: { Type: 'String' },
      KarpenterNamespace: { Type: 'String' },
      DeployPodIdentityAddon: choice,
      DeployNodeAccessEntry: choice
    },
    Conditions: {
      ShouldDeployPodIdentityAddon: { 'Fn::Equals': [ref('DeployPodIdentityAddon'), 'true'] },
      ...whereNodesHaveAccessEntries
    },
    Resources: {
      EKSPodIdentityAddon: {
        Type: 'AWS::EKS::Addon',
        Condition: 'ShouldDeployPodIdentityAddon',
        Properties: {
          ClusterName: ref('ClusterName'),
          AddonName: 'eks-pod-identity-agent',
          Tags: [{ Key: 'managed-by', Value: 'dd-karpenter' }]
        }
      },
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: sub('${ClusterName}-karpenter'),
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Principal: { Service: 'pods.eks.amazonaws.com' },
                Action: ['sts:AssumeRole', 'sts:TagSession']
              }
            ]
          },
          ManagedPolicyArns: controllerPolicies
        }
      },
      PodIdentityAssociation: {
        Type: 'AWS::EKS::PodIdentityAssociation',
        DependsOn: ['Role'],
        Properties: {
          ClusterName: ref('ClusterName'),
          Namespace: ref('KarpenterNamespace'),
          ServiceAccount: 'karpenter',
          RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] }
        }
      },
      NodeAccessEntry: nodeAccessEntry
    }
  }
}

/** The same for a controller on Fargate, with a profile of its own and IRSA (dd-karpenter-fargate.yaml). */
export function fargateStack(): Readonly<Record<string, unknown>> {
  const profile = 'dd-karpenter-${ClusterName}'
  const profileArn =
    'arn:${AWS::Partition}:eks:${AWS::Region}:${AWS::AccountId}:fargateprofile/${ClusterName}'
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: 'IAM role, Fargate profile and execution role for Karpenter controller on Fargate',
    Parameters: {
      ClusterName: { Type: 'String' },
      KarpenterNamespace: { Type: 'String' },
      OIDCProviderArn: { Type: 'String' },
      OIDCProviderURL: { Type: 'String' },
      FargateSubnets: { Type: 'CommaDelimitedList' },
      DeployNodeAccessEntry: choice
    },
    Conditions: whereNodesHaveAccessEntries,
    Resources: {
      FargatePodExecutionRole: {
        Type: 'AWS::IAM::Role',
        Properties: {
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Principal: { Service: 'eks-fargate-pods.amazonaws.com' },
                Action: 'sts:AssumeRole',
                Condition: { ArnLike: { 'aws:SourceArn': sub(`${profileArn}/${profile}/*`) } }
              }
            ]
          },
          ManagedPolicyArns: [
            sub('arn:${AWS::Partition}:iam::aws:policy/AmazonEKSFargatePodExecutionRolePolicy')
          ]
        }
      },
      KarpenterFargateProfile: {
        Type: 'AWS::EKS::FargateProfile',
        Properties: {
          ClusterName: ref('ClusterName'),
          FargateProfileName: sub(profile),
          PodExecutionRoleArn: { 'Fn::GetAtt': ['FargatePodExecutionRole', 'Arn'] },
          Selectors: [{ Namespace: ref('KarpenterNamespace') }],
          Subnets: ref('FargateSubnets')
        }
      },
      KarpenterIRSARole: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: sub('${ClusterName}-karpenter'),
          // Text, because the keys of the condition are made of a parameter.
          AssumeRolePolicyDocument: sub(
            JSON.stringify({
              Version: '2012-10-17',
              Statement: [
                {
                  Effect: 'Allow',
                  Principal: { Federated: '${OIDCProviderArn}' },
                  Action: 'sts:AssumeRoleWithWebIdentity',
                  Condition: {
                    StringEquals: {
                      '${OIDCProviderURL}:sub': 'system:serviceaccount:${KarpenterNamespace}:karpenter',
                      '${OIDCProviderURL}:aud': 'sts.amazonaws.com'
                    }
                  }
                }
              ]
            })
          ),
          ManagedPolicyArns: controllerPolicies
        }
      },
      NodeAccessEntry: nodeAccessEntry
    },
    Outputs: { KarpenterRoleArn: { Value: { 'Fn::GetAtt': ['KarpenterIRSARole', 'Arn'] } } }
  }
}
