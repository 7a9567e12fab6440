import type { Fault } from '../sandbox/cloud/service.js'
import { newest, oldest, type Sandbox } from '../sandbox/index.js'
import { attachToNodeRole, boundary, untagNetwork } from './damage.js'
import { leaveRemains } from './deployer-policy.js'

export type Inputs = Readonly<Record<string, string>>

export const older: Inputs = {
  'karpenter-version': oldest,
  'controller-identity': 'irsa',
  'smoke-test': 'false'
}
const newer: Inputs = { ...older, 'karpenter-version': newest }
export const byPodIdentity: Inputs = { ...newer, 'controller-identity': 'pod-identity' }
export const upgraded: Inputs = { ...byPodIdentity, 'permissions-boundary': boundary, tags: 'team=platform' }

/** A queue's name is taken for a minute after the queue has gone: no queue is made where its stack is to be rolled back. */
const noQueue: readonly Fault[] = [
  {
    service: 'sqs',
    action: 'CreateQueue',
    effect: { kind: 'error', code: 'ServiceUnavailable', message: 'Try later', status: 503 }
  }
]

/** Where the last resource of an operation fails, all that was made before is undone. */
export const failingTarget: readonly Fault[] = [
  {
    service: 'events',
    action: 'PutTargets',
    effect: { kind: 'error', code: 'LimitExceededException', message: 'No more targets', status: 400 }
  }
]

export interface Removal {
  /** Sid of the statement that the role lacks. */
  readonly lacking: string
  /** What the run is refused, and its error names. */
  readonly missing: string
  /** What it may name instead: of two reads at once either can be refused first. */
  readonly or?: string
  readonly inputs: Inputs
  readonly faults?: readonly Fault[]
  /** Takes away what an earlier run had made already. */
  readonly before?: (sandbox: Sandbox) => unknown
}

/** In the order in which an installation comes to need them; every run goes on from what the one before has left. */
export const beforeTheStack: readonly Removal[] = [
  { lacking: 'Queue', missing: 'sqs:GetQueueAttributes', inputs: older },
  { lacking: 'FindCluster', missing: 'eks:DescribeCluster', inputs: older },
  {
    lacking: 'FindNetworkNodesAndQueue',
    missing: 'ec2:DescribeSubnets',
    or: 'ec2:DescribeSecurityGroups',
    inputs: older
  },
  {
    lacking: 'ListOidcProviders',
    missing: 'iam:ListOpenIDConnectProviders',
    inputs: { ...older, 'controller-identity': 'auto' }
  },
  { lacking: 'Stack', missing: 'cloudformation:GetTemplate', inputs: older },
  { lacking: 'NodeRole', missing: 'iam:GetRole', inputs: older },
  { lacking: 'ControllerPolicies', missing: 'iam:GetPolicy', inputs: older },
  { lacking: 'NodeRolePolicies', missing: 'iam:AttachRolePolicy', inputs: older, faults: noQueue },
  {
    lacking: 'StackNodeRole',
    missing: 'iam:DeleteRole',
    inputs: older,
    before: async (sandbox) => leaveRemains(sandbox, 'StackNodeRole', older, noQueue)
  },
  { lacking: 'TagForDiscovery', missing: 'ec2:CreateTags', inputs: older, before: untagNetwork },
  {
    lacking: 'CreateSpotRole',
    missing: 'iam:CreateServiceLinkedRole',
    inputs: older,
    before: ({ cloud }) => cloud.iam.roles.delete('AWSServiceRoleForEC2Spot')
  },
  { lacking: 'SpotRole', missing: 'iam:GetRole', inputs: older },
  { lacking: 'OidcProvider', missing: 'iam:GetOpenIDConnectProvider', inputs: older },
  { lacking: 'ControllerRole', missing: 'iam:GetRole', inputs: older },
  {
    lacking: 'ControllerRolePolicies',
    missing: 'iam:AttachRolePolicy',
    inputs: older,
    before: ({ cloud }) =>
      cloud.iam.roles.set('blue-karpenter', { ...cloud.iam.role('blue-karpenter'), attached: [] })
  },
  { lacking: 'NodeAccess', missing: 'eks:DescribeAccessEntry', inputs: older }
]

/** Of the installation that is there. */
export const whileItIsPutRight: readonly Removal[] = [
  { lacking: 'TakeOffRoles', missing: 'iam:DetachRolePolicy', inputs: older, before: attachToNodeRole }
]

/** Of the stack that is there, so that it goes back to what it was. */
export const whileTheStackChanges: readonly Removal[] = [
  { lacking: 'Rules', missing: 'events:ListTargetsByRule', inputs: newer },
  { lacking: 'StackRules', missing: 'events:DescribeRule', inputs: newer }
]

/** These leave a queue, whose name rests for a minute once it is deleted: in sandboxes of their own. */
export const onceTheQueueIsMade: readonly Removal[] = [
  { lacking: 'StackQueue', missing: 'sqs:ListQueueTags', inputs: older },
  {
    lacking: 'StackControllerPolicies',
    missing: 'iam:ListEntitiesForPolicy',
    inputs: older,
    before: async (sandbox) => leaveRemains(sandbox, 'StackControllerPolicies', older, failingTarget)
  }
]

export const forPodIdentity: readonly Removal[] = [
  { lacking: 'PodIdentity', missing: 'eks:DescribeAddon', inputs: byPodIdentity },
  {
    lacking: 'PassControllerRole',
    missing: 'iam:PassRole',
    inputs: byPodIdentity,
    before: ({ cloud: { eks } }) => {
      for (const { associationId } of eks.associations.values()) eks.associations.delete(associationId)
    }
  }
]
