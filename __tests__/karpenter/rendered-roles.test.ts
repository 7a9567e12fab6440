import { knownPolicies, renderedRoles } from '../../src/karpenter/rendered-roles.js'
import { renderTemplate } from '../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'

const settings = {
  clusterName: 'blue',
  stackName: 'Karpenter-blue',
  account: { id: '111122223333', partition: 'aws', region: 'eu-west-1', urlSuffix: 'amazonaws.com' }
} as const
const trust = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }]
}
const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] }
const template = (resources: object): string =>
  JSON.stringify({
    Resources: {
      KarpenterNodeRole: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: 'nodes',
          Path: '/own/',
          AssumeRolePolicyDocument: trust,
          Policies: [{ PolicyName: 'a', PolicyDocument: policy }]
        }
      },
      ...resources
    }
  })

describe('The roles of a stack', () => {
  it('of the built-in template are the node role with its four policies and no inline one', () => {
    const stack = renderTemplate(builtInTemplateText('1.14.0'), settings)
    expect(renderedRoles(stack)).toEqual([
      {
        logicalId: 'KarpenterNodeRole',
        name: 'KarpenterNodeRole-blue',
        arn: 'arn:aws:iam::111122223333:role/KarpenterNodeRole-blue',
        trust: {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: ['sts:AssumeRole'] }
          ]
        },
        policyArns: [
          'arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy',
          'arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy',
          'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly',
          'arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore'
        ],
        inline: {},
        tags: {}
      }
    ])
    expect(knownPolicies(stack)).toEqual(stack.policies)
  })

  it('have the policies that other resources of the template put on them', () => {
    const stack = renderTemplate(
      template({
        Managed: {
          Type: 'AWS::IAM::ManagedPolicy',
          Properties: {
            ManagedPolicyName: 'managed',
            PolicyDocument: policy,
            Roles: [{ Ref: 'KarpenterNodeRole' }]
          }
        },
        Inline: {
          Type: 'AWS::IAM::Policy',
          Properties: { PolicyName: 'b', PolicyDocument: policy, Roles: [{ Ref: 'KarpenterNodeRole' }] }
        },
        OnRole: {
          Type: 'AWS::IAM::RolePolicy',
          Properties: { PolicyName: 'c', PolicyDocument: policy, RoleName: 'nodes' }
        },
        Elsewhere: {
          Type: 'AWS::IAM::Policy',
          Properties: { PolicyName: 'd', PolicyDocument: policy, Roles: ['others'] }
        }
      }),
      settings
    )
    expect(renderedRoles(stack)).toMatchObject([
      {
        arn: 'arn:aws:iam::111122223333:role/own/nodes',
        policyArns: ['arn:aws:iam::111122223333:policy/managed'],
        inline: { a: policy, b: policy, c: policy }
      }
    ])
  })

  it('leave out what only CloudFormation can know', () => {
    const ofQueue = {
      ...policy,
      Statement: [{ ...policy.Statement[0], Resource: { 'Fn::GetAtt': ['Queue', 'Arn'] } }]
    }
    const stack = renderTemplate(
      template({
        Queue: { Type: 'AWS::SQS::Queue', Properties: {} },
        Managed: {
          Type: 'AWS::IAM::ManagedPolicy',
          Properties: { ManagedPolicyName: 'managed', PolicyDocument: ofQueue }
        },
        Inline: {
          Type: 'AWS::IAM::Policy',
          Properties: { PolicyName: 'b', PolicyDocument: ofQueue, Roles: ['nodes'] }
        },
        Unnamed: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: trust } }
      }),
      settings
    )
    expect(renderedRoles(stack)).toMatchObject([{ name: 'nodes', inline: { b: null } }])
    expect(stack.policies).toHaveLength(1)
    expect(knownPolicies(stack)).toEqual([])
  })
})
