import { oidcProvider, oidcProviderArn, serviceAccountAudience } from './resources/oidc-provider.js'
import { wantedTags } from './aws/ownership-tags.js'
import type { Decisions } from './decisions.js'
import { releaseName } from './decisions.js'
import type { Discovery } from './discovery.js'
import { Graph } from './engine/graph.js'
import type { AnyResource } from './engine/resource.js'
import type { Ownership } from './environment.js'
import type { Inputs, RemovalInput } from './inputs.js'
import { type Manifest, textField } from './kubernetes/manifest.js'
import { sharedRead } from './aws/shared-read.js'
import { stackTags } from './aws/stack-operation.js'
import { stackRules } from './aws/stack-rules.js'
import { renderedQueue, renderedRules } from './karpenter/rendered-interruption.js'
import { readRole, type IamRole } from './aws/iam-role.js'
import { knownPolicies, renderedRoles } from './karpenter/rendered-roles.js'
import { stackPolicy } from './resources/stack-policy.js'
import { stackRole } from './resources/stack-role.js'
import { controllerRole } from './resources/controller-role.js'
import { controllerRolePolicies, retiredPolicyArns } from './resources/controller-role-policies.js'
import { crds } from './resources/crds.js'
import type { DiscoveryTagsPorts } from './resources/discovery-tags.js'
import { ec2NodeClass } from './resources/ec2-node-class.js'
import { eventRule } from './resources/event-rule.js'
import { flowSchemas } from './resources/flow-schemas.js'
import { helmRelease } from './resources/helm-release.js'
import { interruptionQueue } from './resources/interruption-queue.js'
import { launchLeftovers } from './resources/launch-leftovers.js'
import { launchedInstances } from './resources/launched-instances.js'
import { namespace } from './resources/namespace.js'
import { nodeAccess } from './resources/node-access.js'
import { nodePool, type NodeObjectPorts } from './resources/node-pool.js'
import { podIdentityAgent, podIdentityAgentAddon } from './resources/pod-identity-agent.js'
import { podIdentityAssociation } from './resources/pod-identity-association.js'
import { securityGroupTags } from './resources/security-group-tags.js'
import { spotServiceLinkedRole } from './resources/spot-service-linked-role.js'
import { stack, type StackPart } from './resources/stack.js'
import { subnetTags } from './resources/subnet-tags.js'

export interface ModelParts {
  readonly inputs: Inputs
  readonly found: Discovery
  readonly decisions: Decisions
  readonly ownership: Ownership
  /** Keeps a text in the report before it is changed. */
  readonly keep: (name: string, text: string) => void
  /** Of a removal only; what Karpenter made in AWS is part of the model then. */
  readonly removal?: RemovalInput
}

/**
 * Everything that an installation consists of, and what must be there before what. Install walks it forward, check reads
 * it, uninstall walks it backward: the wanted state is described here and nowhere else.
 */
export function model(parts: ModelParts): Graph {
  const queueAndRules = interruption(parts)
  return new Graph([
    ...network(parts),
    ...iam(parts, queueAndRules),
    ...resourcesOf(queueAndRules),
    ...controller(parts),
    ...nodes(parts)
  ])
}

function network({ inputs, found }: ModelParts): readonly AnyResource[] {
  const { aws, subnets, securityGroups, record } = found
  const clusterName = inputs.clusterName
  const before = (id: string): Pick<DiscoveryTagsPorts, 'before'> => {
    const recorded = record?.resources[id]?.before
    return recorded === undefined ? {} : { before: recorded }
  }
  return [
    subnetTags(
      { clusterName, ids: subnets.map((subnet) => subnet.id) },
      { aws, discovered: subnets, ...before('subnet-tags') }
    ),
    securityGroupTags(
      { clusterName, ids: securityGroups.map((group) => group.id) },
      { aws, discovered: securityGroups, ...before('security-group-tags') }
    )
  ]
}

function iam(parts: ModelParts, queueAndRules: readonly StackPart[]): readonly AnyResource[] {
  const { inputs, found, decisions, ownership, keep } = parts
  const { aws, cluster, kubernetes, record } = found
  const tags = wantedTags(cluster.name, inputs.tags)
  const policyArns = decisions.stack.policies.map((policy) => policy.arn)
  const { nodeRole } = decisions.stack
  const readNodeRole = sharedRead(async () => readRole(aws, nodeRole.name))
  const rolesAndPolicies = stackRolesAndPolicies(parts, readNodeRole)
  const ofTheStack = resourcesOf(rolesAndPolicies)
  const role = sharedRead(async () => readRole(aws, inputs.controllerRoleName))
  return [
    stack(
      {
        clusterName: cluster.name,
        name: inputs.stackName,
        template: decisions.template,
        resources: decisions.stack.names,
        parameters: decisions.stack.parameters,
        tags,
        capabilities: decisions.stack.capabilities
      },
      { aws, ownership, parts: [...rolesAndPolicies, ...queueAndRules] }
    ),
    ...ofTheStack,
    spotServiceLinkedRole({ aws }),
    ...identity(parts, role),
    controllerRolePolicies(
      {
        clusterName: cluster.name,
        roleName: inputs.controllerRoleName,
        policyArns,
        retiredPolicyArns: retiredPolicyArns(aws.account, cluster.name, policyArns),
        furtherPolicyArns: inputs.controllerRolePolicies
      },
      { aws, role, keep, dependsOn: ['controller-role', 'stack', ...idsOf(ofTheStack)] }
    ),
    nodeAccess(
      decisions.nodeAccess,
      { clusterName: cluster.name, nodeRoleArn: nodeRole.arn, tags },
      {
        aws,
        kubernetes,
        ownership,
        keepCopy: (data) => keep('aws-auth', JSON.stringify(data)),
        created: record?.resources['node-access']?.before.length === 0,
        nodeRole: readNodeRole,
        dependsOn: ['stack', ...idsOf(ofTheStack)]
      }
    )
  ]
}

/** What the stack made in IAM, read there: CloudFormation does not see it edited. */
function stackRolesAndPolicies(
  { inputs, found, decisions, ownership, keep }: ModelParts,
  readNodeRole: () => Promise<IamRole>
): readonly StackPart[] {
  const { aws, cluster } = found
  const { stackName } = inputs
  const tags = sharedRead(async () => stackTags(aws, stackName))
  const ports = { aws, ownership, keep, stackName, stackTags: tags, dependsOn: ['stack'] }
  const clusterName = cluster.name
  const roleTags = wantedTags(clusterName, inputs.tags)
  return [
    ...knownPolicies(decisions.stack).map(({ name, arn, document }) => ({
      resource: stackPolicy({ clusterName, name, arn, document }, ports),
      isIn: hasPhysicalId(arn)
    })),
    ...renderedRoles(decisions.stack).map((role) => ({
      resource: stackRole(
        { clusterName, ...role, tags: { ...roleTags, ...role.tags } },
        role.arn === decisions.stack.nodeRole.arn ? { ...ports, role: readNodeRole } : ports
      ),
      isIn: hasPhysicalId(role.name)
    }))
  ]
}

/** A queue's id is its URL, whose host is the region's, or of old days. */
function hasQueue(name: string): StackPart['isIn'] {
  return (ids) => [...ids.values()].some((id) => id.endsWith(`/${name}`))
}

function hasPhysicalId(id: string): StackPart['isIn'] {
  return (ids) => [...ids.values()].includes(id)
}

function resourcesOf(parts: readonly StackPart[]): readonly AnyResource[] {
  return parts.map(({ resource }) => resource)
}

function idsOf(resources: readonly AnyResource[]): readonly string[] {
  return resources.map(({ id }) => id)
}

/** The stack's queue, and the rules that feed it. */
function interruption({ inputs, found, decisions, ownership }: ModelParts): readonly StackPart[] {
  const { aws, cluster } = found
  const { stackName } = inputs
  const of = { clusterName: cluster.name, stackName }
  const queue = renderedQueue(decisions.stack)
  const rules = renderedRules(decisions.stack)
  const tags = sharedRead(async () => stackTags(aws, stackName))
  const ports = { aws, ownership, stackTags: tags, dependsOn: ['stack'] }
  const inStack = stackRules(aws, stackName, rules)
  return [
    ...(queue === undefined
      ? []
      : [{ resource: interruptionQueue({ ...of, ...queue }, ports), isIn: hasQueue(queue.name) }]),
    ...rules.map((rule) => ({
      resource: eventRule({ ...of, ...rule }, { ...ports, rules: inStack }),
      isIn: (ids: ReadonlyMap<string, string>) => ids.has(rule.logicalId)
    }))
  ]
}

/** The controller's role, and what hands it to the pod: two strategies. */
function identity(
  { inputs, found, decisions, ownership, removal }: ModelParts,
  read: () => Promise<IamRole>
): readonly AnyResource[] {
  const { aws, cluster } = found
  const tags = wantedTags(cluster.name, inputs.tags)
  const role = {
    clusterName: cluster.name,
    roleName: inputs.controllerRoleName,
    arn: decisions.controllerRoleArn,
    ...(inputs.permissionsBoundary !== undefined && { permissionsBoundary: inputs.permissionsBoundary }),
    tags
  }
  const serviceAccount = { namespace: inputs.namespace, serviceAccount: releaseName }
  if (decisions.identity === 'irsa') {
    const providerArn = oidcProviderArn(aws.account, cluster.oidcIssuer)
    return [
      oidcProvider(
        {
          clusterName: cluster.name,
          arn: providerArn,
          issuer: cluster.oidcIssuer,
          audience: serviceAccountAudience,
          tags
        },
        { aws, ownership, removable: removal?.removeOidcProvider ?? false }
      ),
      controllerRole(
        { ...role, trust: { kind: 'irsa', providerArn, ...serviceAccount } },
        { aws, ownership, role: read, dependsOn: ['oidc-provider'] }
      )
    ]
  }
  return [
    controllerRole({ ...role, trust: { kind: 'pod-identity' } }, { aws, ownership, role: read }),
    podIdentityAgent(
      { clusterName: cluster.name, addonName: podIdentityAgentAddon, tags },
      { aws, ownership, selfManaged: async () => found.podIdentityAgent }
    ),
    podIdentityAssociation(
      { clusterName: cluster.name, ...serviceAccount, roleArn: decisions.controllerRoleArn, tags },
      { aws, ownership, dependsOn: ['controller-role', 'pod-identity-agent'] }
    )
  ]
}

function controller({ inputs, found, decisions, ownership, removal }: ModelParts): readonly AnyResource[] {
  const { kubernetes } = found
  const flows = flowSchemas(
    { namespace: inputs.namespace, serviceAccount: releaseName },
    { kubernetes, ownership, dependsOn: [] }
  )
  const identityIds = decisions.identity === 'irsa' ? ['oidc-provider'] : ['pod-identity-association']
  return [
    namespace({ name: inputs.namespace }, { kubernetes, ownership, dependsOn: [] }),
    ...(flows === undefined ? [] : [flows]),
    crds(
      { version: decisions.version, crds: decisions.chart.crds },
      {
        kubernetes,
        ownership,
        dependsOn: [],
        removable: removal?.removeCrds ?? false,
        autoMode: found.cluster.autoMode
      }
    ),
    helmRelease(
      {
        name: releaseName,
        namespace: inputs.namespace,
        chart: inputs.chart,
        version: decisions.version,
        digest: decisions.chart.digest,
        values: decisions.values
      },
      {
        kubernetes,
        ownership,
        dependsOn: [
          'namespace',
          ...(flows === undefined ? [] : [flows.id]),
          'crds',
          'stack',
          ...(decisions.stack.queue === undefined ? [] : ['queue']),
          'controller-role-policies',
          ...identityIds,
          ...(removal === undefined ? [] : ['leftovers'])
        ],
        helm: async () => decisions.helm,
        chart: async () => decisions.chart
      }
    )
  ]
}

function nodes(parts: ModelParts): readonly AnyResource[] {
  const { found, decisions, ownership, removal } = parts
  const { aws, kubernetes, record } = found
  const classIds = decisions.nodeClasses.map((manifest) => `ec2-node-class/${manifest.metadata.name}`)
  const instances = removal === undefined ? [] : ['instances']
  const ports = (id: string, dependsOn: readonly string[]): NodeObjectPorts => ({
    kubernetes,
    ownership,
    dependsOn: [...dependsOn, ...instances],
    created: record?.resources[id]?.before.length === 0,
    removal: {
      aws,
      forceDrain: removal?.forceDrain ?? false,
      controllerName: textField(decisions.values, 'nameOverride') || 'karpenter'
    }
  })
  return [
    ...(removal === undefined ? [] : launched(parts)),
    ...decisions.nodeClasses.map((manifest) =>
      ec2NodeClass(
        manifest,
        ports(`ec2-node-class/${manifest.metadata.name}`, [
          'helm-release',
          'subnet-tags',
          'security-group-tags',
          'node-access'
        ])
      )
    ),
    ...decisions.nodePools.map((manifest) =>
      nodePool(
        manifest,
        ports(`node-pool/${manifest.metadata.name}`, [
          'helm-release',
          'spot-service-linked-role',
          'node-access',
          ...classIds
        ])
      )
    )
  ]
}

/** What Karpenter made: no part of the wanted state, and in the way of a removal. */
function launched({ inputs, found, decisions, ownership }: ModelParts): readonly AnyResource[] {
  const { aws, cluster, kubernetes } = found
  const names = (manifests: readonly Manifest[]): readonly string[] =>
    manifests.map(({ metadata }) => metadata.name)
  const clusterName = cluster.name
  const pools = names(decisions.nodePools)
  return [
    launchedInstances(
      { clusterName, nodePools: pools },
      {
        aws,
        kubernetes,
        ownership,
        // Until the last instance has ended, nothing goes that a node works with.
        dependsOn: ['helm-release', 'node-access', 'subnet-tags', 'security-group-tags']
      }
    ),
    launchLeftovers(
      {
        clusterName,
        region: inputs.region,
        nodeRoleName: decisions.stack.nodeRole.name,
        nodePools: pools,
        nodeClasses: names(decisions.nodeClasses)
      },
      { aws, kubernetes, ownership, dependsOn: ['stack'] }
    )
  ]
}
