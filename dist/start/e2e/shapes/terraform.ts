import { CreateTagsCommand } from '@aws-sdk/client-ec2'
import { CreateAccessEntryCommand, CreatePodIdentityAssociationCommand } from '@aws-sdk/client-eks'
import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import { AttachRolePolicyCommand, CreatePolicyCommand, CreateRoleCommand } from '@aws-sdk/client-iam'
import { CreateQueueCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { text } from '../../sandbox/values.js'
import { account, AnotherHand } from '../another-hand.js'
import { at, listed, paths } from '../scenario.js'
import { addPodIdentityAgent, tag } from './eksctl-cluster.js'
import { giveToManager } from './field-manager.js'
import { helmInstall } from './helm-install.js'
import { kubectlApply } from './kubectl.js'
import { ready } from './ready.js'
import { kubernetesVersion, type Shape } from './shape.js'
import { terraformPolicy } from './terraform-policy.js'

const cluster = 'ex-karpenter'
const region = 'eu-west-1'
const namespace = 'kube-system'
const queue = `Karpenter-${cluster}`
const queueArn = `arn:aws:sqs:${region}:${account}:${queue}`
/** `local.tags` of the example. */
const tags = {
  Example: cluster,
  GithubRepo: 'terraform-aws-eks',
  GithubOrg: 'terraform-aws-modules'
}
const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))

const rules: readonly (readonly [name: string, source: string, what: string, detailType: string])[] = [
  ['HealthEvent', 'aws.health', 'AWS health event', 'AWS Health Event'],
  [
    'SpotInterrupt',
    'aws.ec2',
    'EC2 spot instance interruption warning',
    'EC2 Spot Instance Interruption Warning'
  ],
  [
    'InstanceRebalance',
    'aws.ec2',
    'EC2 instance rebalance recommendation',
    'EC2 Instance Rebalance Recommendation'
  ],
  [
    'InstanceStateChange',
    'aws.ec2',
    'EC2 instance state-change notification',
    'EC2 Instance State-change Notification'
  ],
  [
    'CRInterruption',
    'aws.ec2',
    'EC2 capacity reservation instance interruption warning',
    'EC2 Capacity Reservation Instance Interruption Warning'
  ]
]

/** The example's karpenter.yaml. */
const manifests = `
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata:
  name: default
spec:
  amiSelectorTerms: [{alias: bottlerocket@latest}]
  role: ${cluster}
  subnetSelectorTerms: [{tags: {karpenter.sh/discovery: ${cluster}}}]
  securityGroupSelectorTerms: [{tags: {karpenter.sh/discovery: ${cluster}}}]
  tags:
    karpenter.sh/discovery: ${cluster}
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: default
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
      requirements:
        - {key: karpenter.k8s.aws/instance-category, operator: In, values: [c, m, r]}
        - {key: karpenter.k8s.aws/instance-cpu, operator: In, values: ["4", "8", "16", "32"]}
        - {key: karpenter.k8s.aws/instance-hypervisor, operator: In, values: [nitro]}
        - {key: karpenter.k8s.aws/instance-generation, operator: Gt, values: ["2"]}
  limits:
    cpu: 1000
  disruption:
    consolidationPolicy: WhenEmpty
    consolidateAfter: 30s
`

/**
 * examples/karpenter of terraform-aws-modules/eks 21.x: modules/karpenter with its defaults but the node role's fixed
 * name, the chart by the helm provider, and the manifests by kubectl.
 */
export const terraform: Shape = {
  name: "Terraform's karpenter module",
  spec: {
    name: cluster,
    region,
    kubernetesVersion,
    authenticationMode: 'API_AND_CONFIG_MAP',
    nodeGroup: { name: 'managed', count: 2, instanceType: 'm5.large', zones: 2, ownSecurityGroup: true }
  },
  async make(sandbox) {
    const hand = new AnotherHand(sandbox)
    const unique = uniqueNames()
    try {
      await prepareCluster(hand)
      const nodeRoleArn = await createNodeRole(hand)
      const controllerRole = await createController(hand, unique, nodeRoleArn)
      await createInterruptionQueue(hand, unique)
      await hand.eks.send(
        new CreateAccessEntryCommand({
          clusterName: cluster,
          principalArn: nodeRoleArn,
          type: 'EC2_LINUX',
          tags
        })
      )
      await helmInstall(sandbox, {
        release: 'karpenter',
        namespace,
        flags: [],
        values: {
          nodeSelector: { 'karpenter.sh/controller': 'true' },
          dnsPolicy: 'Default',
          settings: {
            clusterName: cluster,
            clusterEndpoint: sandbox.cloud.eks.cluster(cluster).endpoint,
            interruptionQueue: queue
          },
          webhook: { enabled: false }
        }
      })
      await giveToManager(sandbox, { name: 'karpenter', namespace }, 'terraform-provider-helm_v3.1.1_x5')
      await kubectlApply(sandbox, manifests)
      return await ready(sandbox, {
        namespace,
        release: 'karpenter',
        controllerRole,
        nodeRole: cluster,
        identity: 'pod-identity',
        nodeAccess: 'access-entry',
        stacks: [],
        queue,
        nodePools: ['default'],
        nodeClasses: ['default']
      })
    } finally {
      hand.close()
    }
  }
}

/** Terraform's name_prefix: the time to a ten-thousandth of a second and a counter, 26 characters. */
function uniqueNames(): (prefix: string) => string {
  let count = 0
  return (prefix) => `${prefix}-202503141509260000${(++count).toString(16).padStart(8, '0')}`
}

/** What the example's eks and vpc modules leave besides: tags of the node security group and the subnets, labels, the add-on. */
async function prepareCluster(hand: AnotherHand): Promise<void> {
  const { sandbox } = hand
  // The group that its module gave the node group, which new nodes must have as well.
  const [nodes] = (await sandbox.moto.instances()).flatMap(({ securityGroups }) => securityGroups)
  await hand.ec2.send(new CreateTagsCommand({ Resources: [nodes ?? ''], Tags }))
  await tag(hand, [nodes ?? ''], 'karpenter.sh/discovery', cluster)
  const privateSubnets = sandbox.vpc.subnets.filter((subnet) => !subnet.public).map(({ id }) => id)
  await tag(hand, privateSubnets, 'karpenter.sh/discovery', cluster)
  await addPodIdentityAgent(hand, tags)
  for (const node of await listed(sandbox, paths.nodes)) {
    const path = `${paths.nodes}/${text(at(node, 'metadata', 'name')) ?? ''}`
    const labels = { 'karpenter.sh/controller': 'true' }
    await sandbox.kubernetes('PATCH', path, { metadata: { labels } })
  }
}

async function createNodeRole(hand: AnotherHand): Promise<string> {
  const { Role } = await hand.iam.send(
    new CreateRoleCommand({
      RoleName: cluster,
      AssumeRolePolicyDocument: trust('EKSNodeAssumeRole', ['sts:AssumeRole'], 'ec2.amazonaws.com'),
      Tags
    })
  )
  for (const policy of [
    'AmazonEKSWorkerNodePolicy',
    'AmazonEC2ContainerRegistryPullOnly',
    'AmazonEKS_CNI_Policy',
    'AmazonSSMManagedInstanceCore'
  ]) {
    const PolicyArn = `arn:aws:iam::aws:policy/${policy}`
    await hand.iam.send(new AttachRolePolicyCommand({ RoleName: cluster, PolicyArn }))
  }
  return Role?.Arn ?? ''
}

/** Role, policy and Pod Identity association of the controller. Answers the role's name. */
async function createController(
  hand: AnotherHand,
  unique: (prefix: string) => string,
  nodeRoleArn: string
): Promise<string> {
  const RoleName = unique('KarpenterController')
  const actions = ['sts:TagSession', 'sts:AssumeRole']
  const { Role } = await hand.iam.send(
    new CreateRoleCommand({
      RoleName,
      Description: 'Karpenter controller IAM role',
      AssumeRolePolicyDocument: trust('PodIdentity', actions, 'pods.eks.amazonaws.com'),
      Tags
    })
  )
  const { Policy } = await hand.iam.send(
    new CreatePolicyCommand({
      PolicyName: unique('KarpenterController'),
      Description: 'Karpenter controller IAM policy',
      PolicyDocument: terraformPolicy({ cluster, region, account, queueArn, nodeRoleArn }),
      Tags
    })
  )
  await hand.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: Policy?.Arn }))
  await hand.eks.send(
    new CreatePodIdentityAssociationCommand({
      clusterName: cluster,
      namespace,
      serviceAccount: 'karpenter',
      roleArn: Role?.Arn,
      tags
    })
  )
  return RoleName
}

async function createInterruptionQueue(hand: AnotherHand, unique: (prefix: string) => string): Promise<void> {
  const { QueueUrl } = await hand.sqs.send(
    new CreateQueueCommand({
      QueueName: queue,
      Attributes: { MessageRetentionPeriod: '300', SqsManagedSseEnabled: 'true' },
      tags
    })
  )
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'SqsWrite',
        Effect: 'Allow',
        Principal: { Service: ['sqs.amazonaws.com', 'events.amazonaws.com'] },
        Action: 'sqs:SendMessage',
        Resource: queueArn
      },
      {
        Sid: 'DenyHTTP',
        Effect: 'Deny',
        Principal: '*',
        Action: 'sqs:*',
        Resource: queueArn,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } }
      }
    ]
  })
  await hand.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }))
  for (const [name, source, what, detailType] of rules) {
    const Name = unique(`Karpenter${name}`)
    await hand.events.send(
      new PutRuleCommand({
        Name,
        Description: `Karpenter interrupt - ${what}`,
        EventPattern: JSON.stringify({ 'detail-type': [detailType], source: [source] }),
        Tags: [{ Key: 'ClusterName', Value: cluster }, ...Tags]
      })
    )
    const Targets = [{ Id: 'KarpenterInterruptionQueueTarget', Arn: queueArn }]
    await hand.events.send(new PutTargetsCommand({ Rule: Name, Targets }))
  }
}

function trust(Sid: string, Action: readonly string[], Service: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Sid, Effect: 'Allow', Action, Principal: { Service } }]
  })
}
