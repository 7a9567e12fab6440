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

/** The second stack of kubectl-datadog for a controller on nodes that are there (dd-karpenter.yaml). */
export function controllerStack(): Readonly<Record<string, unknown>> {
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
      ShouldDeployNodeAccessEntry: { 'Fn::Equals': [ref('DeployNodeAccessEntry'), 'true'] }
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
          ManagedPolicyArns: policies.map((name) =>
            sub(`${account}:policy/KarpenterController${name}Policy-\${ClusterName}`)
          )
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
      NodeAccessEntry: {
        Type: 'AWS::EKS::AccessEntry',
        Condition: 'ShouldDeployNodeAccessEntry',
        Properties: {
          ClusterName: ref('ClusterName'),
          PrincipalArn: sub(`${account}:role/KarpenterNodeRole-\${ClusterName}`),
          Type: 'EC2_LINUX'
        }
      }
    }
  }
}
