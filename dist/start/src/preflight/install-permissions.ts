import { discoveryTag } from '../karpenter/names.js'
import type { NodeAccessStrategy } from '../aws/choices.js'
import { iamArn } from '../aws/partition.js'
import { boundaryArn, type WantedBoundary } from '../aws/role-boundary.js'
import type { Account } from '../aws/environment.js'
import type { ConditionContext, Need } from '../aws/policy/need.js'
import type { RenderedStack } from '../karpenter/rendered-stack.js'
import { idOf, type ResourceId } from '../resources/ids.js'

/** What of the plan decides which permissions it needs. */
export interface PlannedInstall {
  readonly account: Pick<Account, 'id' | 'partition' | 'region'>
  readonly clusterName: string
  /** The cluster's. */
  readonly vpcId: string
  readonly controllerRoleName: string
  readonly stackName: string
  /** Service role by which CloudFormation acts; undefined: by the caller's permissions. */
  readonly stackRoleArn: string | undefined
  readonly stack: Pick<RenderedStack, 'nodeRole' | 'policies' | 'queue' | 'resources'>
  readonly nodeAccess: NodeAccessStrategy
  /** ARNs of what this run tags for discovery. */
  readonly discovered: readonly string[]
  /** Of the cluster's issuer. */
  readonly oidcProviderArn: string
  readonly permissionsBoundary: WantedBoundary
  /** ARNs of other versions' policies on the controller's role, which are detached and go with the stack's update. */
  readonly retiredPolicyArns: readonly string[]
  /** What the comparison found of a resource, by its id; undefined when it is not in the model. */
  readonly stateOf: (id: ResourceId) => 'as wanted' | 'differs' | 'absent' | 'unreadable' | undefined
  /** Paths of the differences that were found of a resource. */
  readonly pathsOf: (id: string) => readonly string[]
}

/** Stands in an ARN where only AWS can know what will stand there. */
const someId = '00000000-0000-0000-0000-000000000000'
const cloudFormation = 'cloudformation.amazonaws.com'

/** What the plan is certain to call to change what differs. Reads are left out: those have been made by now. */
export function needsOf(plan: PlannedInstall): readonly Need[] {
  return [...network(plan), ...roles(plan), ...eks(plan), ...stack(plan)].filter(
    ({ actions, resources }) => actions.length > 0 && resources.length > 0
  )
}

function network({ account, discovered, clusterName, vpcId, stateOf }: PlannedInstall): readonly Need[] {
  const changes = [idOf.subnetTags, idOf.securityGroupTags].some((id) => changed(stateOf(id)))
  if (!changes) return []
  return [
    {
      actions: ['ec2:CreateTags'],
      resources: discovered,
      context: {
        [`aws:RequestTag/${discoveryTag}`]: clusterName,
        'aws:TagKeys': [discoveryTag],
        'ec2:Vpc': `arn:${account.partition}:ec2:${account.region}:${account.id}:vpc/${vpcId}`
      }
    }
  ]
}

function roles(plan: PlannedInstall): readonly Need[] {
  const { account, stateOf, controllerRoleName, oidcProviderArn, retiredPolicyArns, stack: rendered } = plan
  const role = iamArn(account, `role/${controllerRoleName}`)
  const spot = iamArn(account, 'role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot')
  const [policy] = rendered.policies
  return [
    {
      actions: ['iam:CreateServiceLinkedRole'],
      resources: stateOf(idOf.spotServiceLinkedRole) === 'absent' ? [spot] : [],
      context: direct(plan)
    },
    {
      actions: byState(stateOf(idOf.oidcProvider), {
        absent: ['iam:CreateOpenIDConnectProvider', 'iam:TagOpenIDConnectProvider'],
        differs: ['iam:AddClientIDToOpenIDConnectProvider']
      }),
      resources: [oidcProviderArn],
      context: direct(plan)
    },
    {
      actions: byState(stateOf(idOf.controllerRole), {
        absent: ['iam:CreateRole', 'iam:TagRole'],
        differs: []
      }),
      resources: [role],
      context: direct(plan)
    },
    {
      actions: repairsOf(plan, idOf.controllerRole),
      resources: [role],
      context: direct(plan)
    },
    {
      // With a service role it is left as it is.
      actions: plan.stackRoleArn === undefined ? repairsOf(plan, idOf.role(rendered.nodeRole.name)) : [],
      resources: [rendered.nodeRole.arn],
      context: direct(plan)
    },
    {
      actions: changed(stateOf(idOf.controllerRolePolicies)) ? ['iam:AttachRolePolicy'] : [],
      resources: [role],
      context: { ...bounded(plan), ...(policy !== undefined && { 'iam:PolicyARN': policy.arn }) }
    },
    {
      actions: ['iam:DetachRolePolicy'],
      resources: retiredPolicyArns.length > 0 ? [role] : [],
      context: bounded(plan)
    }
  ]
}

function eks(plan: PlannedInstall): readonly Need[] {
  const { account, clusterName, controllerRoleName, nodeAccess, stateOf, stack: rendered } = plan
  const arn = (path: string): string => `arn:${account.partition}:eks:${account.region}:${account.id}:${path}`
  const association = stateOf(idOf.podIdentityAssociation)
  const entry = `access-entry/${clusterName}/role/${account.id}/${rendered.nodeRole.name}/${someId}`
  const context = direct(plan)
  return [
    {
      actions: [
        ...(stateOf(idOf.podIdentityAgent) === 'absent' ? ['eks:CreateAddon'] : []),
        ...(association === 'absent' ? ['eks:CreatePodIdentityAssociation'] : [])
      ],
      resources: [arn(`cluster/${clusterName}`)],
      context
    },
    {
      actions: [
        ...(association === 'differs' ? ['eks:UpdatePodIdentityAssociation'] : []),
        ...(stateOf(idOf.retiredAssociation) === 'differs' ? ['eks:DeletePodIdentityAssociation'] : [])
      ],
      resources: [arn(`podidentityassociation/${clusterName}/a-00000000000000000`)],
      context
    },
    {
      actions: changed(association) ? ['iam:PassRole'] : [],
      resources: [iamArn(account, `role/${controllerRoleName}`)],
      context
    },
    {
      actions:
        changed(stateOf(idOf.nodeAccess)) && nodeAccess === 'access-entry' ? ['eks:CreateAccessEntry'] : [],
      resources: [arn(`cluster/${clusterName}`)],
      context
    },
    {
      actions:
        stateOf(idOf.nodeAccess) === 'differs' && nodeAccess === 'access-entry'
          ? ['eks:DeleteAccessEntry']
          : [],
      resources: [arn(entry)],
      context
    }
  ]
}

/** The stack itself, and what CloudFormation calls for it with the caller's permissions. */
function stack(plan: PlannedInstall): readonly Need[] {
  const { account, retiredPolicyArns, stackName, stack: rendered, stateOf } = plan
  const { partition, region, id } = account
  const state = stateOf(idOf.stack)
  const own: Need = {
    actions: [
      'cloudformation:CreateChangeSet',
      'cloudformation:DescribeChangeSet',
      'cloudformation:DescribeStackEvents',
      'cloudformation:ExecuteChangeSet'
    ],
    resources:
      changed(state) || changed(stateOf(idOf.retiredParts))
        ? [`arn:${partition}:cloudformation:${region}:${id}:stack/${stackName}/${someId}`]
        : [],
    context: direct(plan)
  }
  if (plan.stackRoleArn !== undefined) return [own, ...passing(plan.stackRoleArn, own.resources.length > 0)]
  const context = { ...direct(plan), 'aws:CalledVia': [cloudFormation] }
  if (state !== 'absent') {
    const actions = ['iam:DeletePolicy', 'iam:ListEntitiesForPolicy']
    return [own, { actions, resources: retiredPolicyArns, context }]
  }
  const rules = rendered.resources.filter(({ type }) => type === 'AWS::Events::Rule')
  return [
    own,
    {
      actions: ['iam:CreateRole', 'iam:GetRole', 'iam:TagRole'],
      resources: rendered.nodeRole.logicalId === undefined ? [] : [rendered.nodeRole.arn],
      context
    },
    ...nodeRolePolicies(plan).map((arn) => ({
      actions: ['iam:AttachRolePolicy'],
      resources: [rendered.nodeRole.arn],
      context: { ...bounded(plan), 'aws:CalledVia': [cloudFormation], 'iam:PolicyARN': arn }
    })),
    {
      actions: ['iam:CreatePolicy'],
      resources: rendered.policies.map(({ arn }) => arn),
      context
    },
    {
      actions: ['sqs:CreateQueue', 'sqs:GetQueueAttributes', 'sqs:SetQueueAttributes', 'sqs:TagQueue'],
      resources: rendered.queue === undefined ? [] : [rendered.queue.arn],
      context
    },
    {
      actions: ['events:DescribeRule', 'events:PutRule', 'events:PutTargets'],
      resources: rules.map(
        ({ logicalId, name }) =>
          `arn:${partition}:events:${region}:${id}:rule/${name ?? `${stackName}-${logicalId}-000000000000`}`
      ),
      context
    }
  ]
}

/** All that CloudFormation calls, it calls as its service role. */
function passing(roleArn: string, changesStack: boolean): readonly Need[] {
  const context = { 'iam:PassedToService': cloudFormation }
  return [{ actions: changesStack ? ['iam:PassRole'] : [], resources: [roleArn], context }]
}

function nodeRolePolicies({ stack: { nodeRole, resources } }: PlannedInstall): readonly string[] {
  const arns = resources.find(({ logicalId }) => logicalId === nodeRole.logicalId)?.properties[
    'ManagedPolicyArns'
  ]
  return Array.isArray(arns) ? arns.filter((arn) => typeof arn === 'string') : []
}

/** What a role that is there is given anew, by what differs of it. */
function repairsOf(
  { stateOf, pathsOf, permissionsBoundary }: PlannedInstall,
  id: ResourceId
): readonly string[] {
  if (stateOf(id) !== 'differs') return []
  const differs = (path: RegExp): boolean => pathsOf(id).some((one) => path.test(one))
  return [
    ...(differs(/^trust\b/) ? ['iam:UpdateAssumeRolePolicy'] : []),
    ...(differs(/^permissionsBoundary$/)
      ? [
          boundaryArn(permissionsBoundary) === undefined
            ? 'iam:DeleteRolePermissionsBoundary'
            : 'iam:PutRolePermissionsBoundary'
        ]
      : []),
    ...(differs(/^tags\./) ? ['iam:TagRole'] : [])
  ]
}

/** Keys of the calls that are made once each, with one value: together they are one question to IAM. */
function direct(plan: PlannedInstall): ConditionContext {
  return {
    'iam:AWSServiceName': 'spot.amazonaws.com',
    'iam:PassedToService': 'pods.eks.amazonaws.com',
    'eks:principalArn': plan.stack.nodeRole.arn,
    'eks:accessEntryType': 'EC2_LINUX',
    ...bounded(plan)
  }
}

/** A policy that ties the writing of roles to a boundary asks for it at each of those calls. */
function bounded({ permissionsBoundary }: PlannedInstall): ConditionContext {
  const arn = boundaryArn(permissionsBoundary)
  return arn === undefined ? {} : { 'iam:PermissionsBoundary': arn }
}

function changed(state: ReturnType<PlannedInstall['stateOf']>): boolean {
  return state === 'absent' || state === 'differs'
}

function byState(
  state: ReturnType<PlannedInstall['stateOf']>,
  actions: { readonly absent: readonly string[]; readonly differs: readonly string[] }
): readonly string[] {
  return state === 'absent' || state === 'differs' ? actions[state] : []
}
