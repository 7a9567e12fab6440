import { dump } from 'js-yaml'
import type { JsonMap } from '../engine/json.js'
import { permissionsOf, type PolicyName, type PolicyStatement } from './permissions.js'
import { inSpan, type Span } from './versions.js'

/** Since when the controller's permissions are several policies; up to then they are one. */
const split: Span = { from: '1.9.0' }

/** In the order of the published template. */
const policyNames: readonly PolicyName[] = [
  'NodeLifecycle',
  'IAMIntegration',
  'EKSIntegration',
  'Interruption',
  'ZonalShift',
  'ResourceDiscovery'
]

interface RuleRow {
  readonly logicalId: string
  readonly source: string
  readonly detailType: string
  readonly span?: Span
}

const rules: readonly RuleRow[] = [
  { logicalId: 'ScheduledChangeRule', source: 'aws.health', detailType: 'AWS Health Event' },
  {
    logicalId: 'SpotInterruptionRule',
    source: 'aws.ec2',
    detailType: 'EC2 Spot Instance Interruption Warning'
  },
  { logicalId: 'RebalanceRule', source: 'aws.ec2', detailType: 'EC2 Instance Rebalance Recommendation' },
  {
    logicalId: 'InstanceStateChangeRule',
    source: 'aws.ec2',
    detailType: 'EC2 Instance State-change Notification'
  },
  {
    logicalId: 'CapacityReservationInterruptionRule',
    source: 'aws.ec2',
    detailType: 'EC2 Capacity Reservation Instance Interruption Warning',
    span: { from: '1.10.0' }
  }
]

const sub = (text: string): JsonMap => ({ 'Fn::Sub': text })
const queueArn: JsonMap = { 'Fn::GetAtt': ['KarpenterInterruptionQueue', 'Arn'] }

function nodeRole(version: string): JsonMap {
  const registry = inSpan(version, { from: '1.4.0' }) ? 'PullOnly' : 'ReadOnly'
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      RoleName: sub('KarpenterNodeRole-${ClusterName}'),
      Path: '/',
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: sub('ec2.${AWS::URLSuffix}') },
            Action: ['sts:AssumeRole']
          }
        ]
      },
      ManagedPolicyArns: [
        'AmazonEKS_CNI_Policy',
        'AmazonEKSWorkerNodePolicy',
        `AmazonEC2ContainerRegistry${registry}`,
        'AmazonSSMManagedInstanceCore'
      ].map((name) => sub(`arn:\${AWS::Partition}:iam::aws:policy/${name}`))
    }
  }
}

/** A list of one as the value itself, as upstream writes it: IAM counts every character of a policy. */
function short(values: readonly string[]): string | readonly string[] {
  return values.length === 1 ? (values[0] ?? '') : values
}

/** The document is one `Fn::Sub` of JSON text: CloudFormation works out no function in a key, and conditions need it. */
function managedPolicy(name: string, statements: readonly PolicyStatement[], place: JsonMap = {}): JsonMap {
  const Statement = statements.map((statement) => ({
    ...statement,
    Action: short(statement.Action),
    Resource: short(statement.Resource)
  }))
  return {
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: {
      ManagedPolicyName: sub(`${name}-\${ClusterName}`),
      ...place,
      PolicyDocument: sub(JSON.stringify({ Version: '2012-10-17', Statement }, undefined, 2))
    }
  }
}

/** Only of the policies that 1.9 brought, as upstream has it: to CloudFormation another Path is another policy. */
const path: JsonMap = { Path: '/' }

function controllerPolicies(version: string): JsonMap {
  const rows = permissionsOf(version)
  if (!inSpan(version, split)) {
    const statements = rows.map((row) => row.statement)
    return { KarpenterControllerPolicy: managedPolicy('KarpenterControllerPolicy', statements) }
  }
  const policies: JsonMap = {}
  for (const name of policyNames) {
    const own = rows.filter((row) => row.policy === name).map((row) => row.statement)
    if (own.length > 0)
      policies[`${name}Policy`] = managedPolicy(`KarpenterController${name}Policy`, own, path)
  }
  return policies
}

function queue(): JsonMap {
  return {
    KarpenterInterruptionQueue: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        QueueName: sub('${ClusterName}'),
        MessageRetentionPeriod: 300,
        SqsManagedSseEnabled: true
      }
    },
    KarpenterInterruptionQueuePolicy: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: 'KarpenterInterruptionQueue' }],
        PolicyDocument: {
          Id: 'EC2InterruptionPolicy',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: ['events.amazonaws.com', 'sqs.amazonaws.com'] },
              Action: 'sqs:SendMessage',
              Resource: queueArn
            },
            {
              Sid: 'DenyHTTP',
              Effect: 'Deny',
              Principal: '*',
              Action: 'sqs:*',
              Resource: queueArn,
              Condition: { Bool: { 'aws:SecureTransport': false } }
            }
          ]
        }
      }
    }
  }
}

function eventRules(version: string): JsonMap {
  return Object.fromEntries(
    rules
      .filter((rule) => rule.span === undefined || inSpan(version, rule.span))
      .map((rule) => [
        rule.logicalId,
        {
          Type: 'AWS::Events::Rule',
          Properties: {
            EventPattern: { source: [rule.source], 'detail-type': [rule.detailType] },
            Targets: [{ Id: 'KarpenterInterruptionQueueTarget', Arn: queueArn }]
          }
        }
      ])
  )
}

/**
 * The stack of a Karpenter version, made from the table of permissions. Same logical ids and physical names as the
 * template that Karpenter publishes for it, so that one can follow the other in a stack.
 */
export function builtInTemplate(version: string): JsonMap {
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `Roles, queue and rules of Karpenter ${version}, by setup-karpenter`,
    Parameters: { ClusterName: { Type: 'String', Description: 'Name of the EKS cluster' } },
    Resources: {
      KarpenterNodeRole: nodeRole(version),
      ...controllerPolicies(version),
      ...queue(),
      ...eventRules(version)
    }
  }
}

/** builtInTemplate as YAML, with functions in their long form. */
export function builtInTemplateText(version: string): string {
  return dump(builtInTemplate(version), { lineWidth: -1, noRefs: true })
}
