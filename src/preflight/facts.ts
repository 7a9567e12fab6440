import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import type { Account, Ownership } from '../aws/environment.js'
import { principalOf, type Simulation, simulate } from '../aws/simulate.js'
import { begun, joined } from '../engine/calls.js'
import { changes } from '../engine/changes.js'
import type { JsonMap } from '../engine/json.js'
import { once, onceEach } from '../engine/once.js'
import type { Inspection } from '../engine/resource.js'
import { findReleases, type ReleaseName } from '../helm/release.js'
import { renderedObjects } from '../helm/rendered.js'
import type { Inputs } from '../inputs/inputs.js'
import { type RequiredStatement, requiredStatements } from '../karpenter/required-statements.js'
import type { SelectorTerm } from '../karpenter/types.js'
import type { Fact, KubernetesRange } from '../karpenter/version-facts.js'
import { customResourceDefinitions, ec2NodeClasses, nodePools } from '../kubernetes/kinds.js'
import { lean } from '../kubernetes/lean.js'
import { isManifest, type Manifest } from '../kubernetes/manifest.js'
import type { Decisions } from '../plan/decisions.js'
import type { FoundIdentity } from '../plan/found-identity.js'
import { releaseName } from '../karpenter/names.js'
import type { Discovery } from '../plan/discovery.js'
import { type CrdKeeper, keepersOf } from '../resources/controller/crd-keeper.js'
import { flowSchemaManifests } from '../resources/controller/flow-schemas.js'
import { type Refusal, refusals } from '../resources/dry-run.js'
import { type AdmissionRefusal, admissionRefusals } from '../resources/install-dry-run.js'
import { type FargateProfile, fargateProfiles } from './controller/fargate-profiles.js'
import { controllerNodes, type PodOnNode, podsOn } from './controller/node-room.js'
import type { Need } from '../aws/policy/need.js'
import { plannedNeeds } from './plan-permissions.js'
import type { Read } from './reads/denied-read.js'
import {
  type DescribedTypes,
  describedTypes,
  type OfferedTypes,
  offeredTypes
} from './reads/instance-type-reads.js'
import type { NetworkReads } from './reads/network-reads.js'
import {
  anyImage,
  type ImageTerm,
  type InstanceProfile,
  instanceProfile,
  type NodeRole,
  nodeRole,
  securityGroupsByTerm,
  type SubnetFound,
  subnetsByTerm
} from './reads/node-class-reads.js'
import {
  type NodePoolRemains,
  nodePoolRemains,
  objectNames,
  type OlderWebhook,
  olderWebhooks
} from './reads/older-karpenter-reads.js'
import { managedPolicies, type NodePolicies, policiesOfRole } from './reads/node-policies.js'
import { podIdentityAgentNodes, policyDocuments, publishedParameters, queueUrl } from './reads/reads.js'
import { idOf, type ResourceId } from '../resources/ids.js'

type KnownInputs = Pick<
  Inputs,
  | 'clusterName'
  | 'region'
  | 'namespace'
  | 'stackName'
  | 'stackRoleArn'
  | 'controllerRoleName'
  | 'nodeRoleName'
  | 'nodeRoleNamed'
  | 'helmValues'
  | 'interruptionQueue'
  | 'discovery'
  | 'allowDowngrade'
  | 'crds'
>
type KnownDiscovery = Pick<
  Discovery,
  | 'cluster'
  | 'subnets'
  | 'securityGroups'
  | 'controllers'
  | 'autoscalers'
  | 'nodes'
  | 'othersNodes'
  | 'podIdentityAgentPods'
>
type KnownDecisions = Pick<
  Decisions,
  | 'version'
  | 'installed'
  | 'identity'
  | 'templateOrigin'
  | 'stack'
  | 'queueName'
  | 'chart'
  | 'helm'
  | 'values'
  | 'nodePools'
  | 'nodeClasses'
>

/** What a preflight is about. */
export interface Checked {
  readonly inputs: Inputs
  readonly found: KnownDiscovery &
    Pick<Discovery, 'aws' | 'kubernetes' | 'record' | 'adopted' | 'network' | 'denied' | 'identityOf'>
  readonly ownership: Ownership
  readonly decisions: KnownDecisions &
    Pick<Decisions, 'nodeAccess' | 'permissionsBoundary' | 'facts' | 'ownPolicies'>
  /** The comparison, which may have failed: then whatever else is wrong is said first. */
  readonly inspections: Promise<ReadonlyMap<string, Inspection>>
}

/**
 * Everything that checks ask about: what is known by then, by the names that it has there, and reads. A check takes those it
 * names, and a function is a read: made when a check first asks, and once for all who do. Errors are UserErrors or the client's own; a denial is an answer where the type says so.
 */
export interface Facts extends KnownInputs, KnownDiscovery, KnownDecisions, NetworkReads {
  readonly account: Account
  readonly releaseName: string
  /** The subnets are all of the cluster's, because nothing else was asked for. */
  readonly everySubnet: boolean
  /** `1.34` */
  readonly kubernetes: string
  /** The version of the last install that ended well. */
  readonly recorded: string | undefined
  /** Which Kubernetes the version supports. */
  readonly range: Fact<KubernetesRange>
  /** What the controller of the version calls. */
  readonly required: readonly RequiredStatement[]
  /** Name of the queue that came with an adopted installation. */
  readonly adoptedQueue: string | undefined
  /** NodePools and EC2NodeClasses are the user's own manifests. */
  readonly manifestsGiven: boolean
  /** The node role that `node-role-name` names was there already. */
  readonly usesOthersRole: boolean
  readonly ownership: Ownership
  /** What discovery could not read. */
  readonly denied: Discovery['denied']
  /** The comparison; rejected when it failed, which ends the run by itself. */
  readonly inspections: () => Promise<ReadonlyMap<string, Inspection>>
  /** Whether anything is to be changed, or a resource by its id; not when the comparison failed. */
  readonly changes: (id?: string) => Promise<boolean>
  /** Whose policies are asked about; undefined for a caller that has none, such as an account's root user. */
  readonly principal: string | undefined
  /** What the plan calls; empty when nothing is to be changed. */
  readonly needs: () => Promise<readonly Need[]>
  readonly simulate: (principal: string, needs: readonly Need[]) => Promise<Simulation>
  /**
   * Documents of policies that somebody else made and that are on the controller's role besides; undefined where nothing is
   * to be changed, and they need not be read to know that.
   */
  readonly othersDocuments: () => Promise<readonly JsonMap[] | undefined>
  /** Those of `node-role-policies`, or of a node role that was there already. */
  readonly nodePolicies: () => Promise<NodePolicies>
  /** What gives the VPC CNI a role of its own; undefined when it has the nodes'. */
  readonly cniRole: () => Promise<FoundIdentity | undefined>
  /** sqs:GetQueueUrl; undefined when there is no queue of that name in this account and region. */
  readonly queueUrl: (name: string) => Promise<string | undefined>
  /** Public SSM parameters: those of the names that are there. */
  readonly published: (names: readonly string[]) => Promise<readonly string[] | 'denied'>
  readonly profiles: () => Promise<Read<FargateProfile>>
  readonly podsOn: (node: string) => Promise<Read<PodOnNode>>
  /** Names of the nodes on which the controller's pods run now; each as often as pods run there. */
  readonly controllerNodes: () => Promise<Read<string>>
  /** Names of the nodes on which a pod of the Pod Identity agent is Ready. */
  readonly podIdentityAgentNodes: () => Promise<readonly string[]>
  readonly releases: () => Promise<readonly ReleaseName[]>
  readonly webhooks: () => Promise<readonly OlderWebhook[]>
  /** Undefined when it is not there. */
  readonly crd: (name: string) => Promise<CustomResourceDefinition | undefined>
  /** Names of all objects of a CRD's kind; none where there is no such CRD. */
  readonly objectsOf: (crdName: string) => Promise<readonly string[]>
  /** The chart's, where they are to take the place of others; empty where those are as wanted, or there are none. */
  readonly replacingCrds: () => Promise<readonly Manifest[]>
  /** Of the chart's CRDs those that are there, and who else keeps them. */
  readonly keptCrds: () => Promise<KeptCrds>
  readonly nodePoolRemains: () => Promise<readonly NodePoolRemains[]>
  /** NodePools and EC2NodeClasses of the cluster, whoever made them. */
  readonly standingNodes: () => Promise<readonly Manifest[]>
  /** What the API server says to a dry run of the NodePools and EC2NodeClasses. */
  readonly refusals: () => Promise<readonly Refusal[]>
  /** What the API server says to a dry run of everything else that is to be made. */
  readonly admissionRefusals: () => Promise<readonly AdmissionRefusal[]>
  /** Of the manifests or of the cluster; undefined when it is in neither. */
  readonly nodeClass: (name: string) => Promise<Manifest | undefined>
  /** All that a term of an EC2NodeClass finds in this account and region. */
  readonly subnetsOf: (term: SelectorTerm) => Promise<readonly SubnetFound[]>
  /** Their ids. */
  readonly securityGroupsOf: (term: SelectorTerm) => Promise<readonly string[]>
  readonly nodeRole: (name: string) => Promise<NodeRole | 'absent' | 'denied'>
  readonly instanceProfile: (name: string) => Promise<InstanceProfile | 'absent' | 'denied'>
  /** Whether ec2:DescribeImages finds any. */
  readonly anyImage: (term: ImageTerm) => Promise<boolean | 'denied'>
  readonly offeredTypes: OfferedTypes
  readonly describedTypes: DescribedTypes
}

export interface KeptCrds {
  readonly found: readonly unknown[]
  readonly keepers: ReadonlyMap<string, CrdKeeper>
}

/** Of what differs the objects that are applied, but for NodePools and EC2NodeClasses. */
async function objectsToMake({
  inputs,
  found,
  decisions,
  inspections
}: Checked): Promise<readonly Manifest[]> {
  const { namespace } = inputs
  const { chart, values } = decisions
  const kubernetes = found.cluster.kubernetesVersion
  const render = async (): Promise<readonly Manifest[]> =>
    renderedObjects(await decisions.helm(), { name: releaseName, namespace, chart, values, kubernetes })
  // Where nothing is installed there is no need to compare before.
  const rendering = decisions.installed === undefined ? begun(render) : undefined
  rendering?.catch(() => undefined)
  // A comparison that failed ends the run by itself.
  const all = await joined(inspections).catch(() => undefined)
  const differs = (id: string): boolean => {
    const state = all?.get(id)?.state
    return state !== undefined && state !== 'as wanted'
  }
  return [
    ...(differs(idOf.namespace)
      ? [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]
      : []),
    ...(differs(idOf.flowSchemas) ? flowSchemaManifests(namespace, releaseName) : []),
    ...(differs(idOf.crds) ? chart.crds : []),
    ...[...(all?.values() ?? [])].flatMap(({ resource: { id, layer, wanted } }) =>
      layer === 'kubernetes' && isManifest(wanted) && differs(id) ? [wanted] : []
    ),
    ...(differs(idOf.helmRelease) ? await (rendering === undefined ? render() : joined(rendering)) : [])
  ]
}

/** NodePools and EC2NodeClasses but for those that stand as they are wanted, which nothing is written to. */
async function manifestsToApply({ decisions, inspections }: Checked): Promise<readonly Manifest[]> {
  // A comparison that failed ends the run by itself.
  const all = await inspections.catch(() => undefined)
  const isApplied = (id: ResourceId): boolean => all?.get(id)?.state !== 'as wanted'
  return [
    ...decisions.nodeClasses.filter(({ metadata }) => isApplied(idOf.ec2NodeClass(metadata.name))),
    ...decisions.nodePools.filter(({ metadata }) => isApplied(idOf.nodePool(metadata.name)))
  ]
}

/** The facts of a run, none of them read yet. */
export function factsOf(checked: Checked): Facts {
  const { inputs, found, decisions, ownership } = checked
  const { aws, cluster, kubernetes } = found
  const lacking = inputs.mode === 'plan' ? 'is thrown' : 'is a refusal'
  const controller = { name: releaseName, releaseName, namespace: inputs.namespace }
  const inspections = async (): Promise<ReadonlyMap<string, Inspection>> => joined(checked.inspections)
  const crd = onceEach(async (name: string) => kubernetes.get(customResourceDefinitions, name))
  return {
    ...inputs,
    ...found,
    ...decisions,
    releaseName,
    everySubnet: inputs.subnets.kind === 'cluster' && found.adopted === undefined,
    account: aws.account,
    kubernetes: cluster.kubernetesVersion,
    recorded: found.record?.karpenterVersion,
    range: decisions.facts.kubernetes,
    required: requiredStatements(decisions.version, decisions.ownPolicies),
    adoptedQueue: found.adopted?.adoption.others.queueName,
    manifestsGiven: inputs.nodePools.kind === 'manifests',
    usesOthersRole: found.adopted === undefined && decisions.stack.nodeRole.logicalId === undefined,
    ownership,
    inspections,
    changes: async (id) =>
      // Where no controller runs one is to be made: known before all is compared.
      (id === undefined && decisions.installed === undefined) ||
      inspections().then(
        (all) => changes(all, id),
        () => false
      ),
    principal: principalOf(
      aws.account.callerArn,
      inputs.credentials.kind === 'oidc' ? inputs.credentials.roleArn : undefined
    ),
    needs: once(async () => plannedNeeds(checked, await inspections())),
    simulate: onceEach(async (principal: string, needs: readonly Need[]) => simulate(aws, principal, needs)),
    othersDocuments: once(async () => {
      const arns = found.adopted?.adoption.others.policyArns ?? []
      if (arns.length === 0) return []
      return changes(await inspections()) ? policyDocuments(aws)(arns) : undefined
    }),
    nodePolicies: once(async () =>
      decisions.stack.nodeRole.logicalId === undefined
        ? policiesOfRole(aws)(decisions.stack.nodeRole.name)
        : managedPolicies(aws)(inputs.nodeRolePolicies)
    ),
    cniRole: once(async () => found.identityOf('kube-system', 'aws-node')),
    queueUrl: onceEach(queueUrl(aws)),
    published: onceEach(publishedParameters(aws)),
    profiles: once(fargateProfiles(aws, cluster.name)),
    podsOn: onceEach(podsOn(kubernetes, controller)),
    controllerNodes: once(controllerNodes(kubernetes, controller)),
    podIdentityAgentNodes: once(podIdentityAgentNodes(kubernetes)),
    releases: once(async () => findReleases(kubernetes)),
    webhooks: once(async () => olderWebhooks(kubernetes)),
    crd,
    objectsOf: onceEach(async (name: string) => {
      const of = await crd(name)
      return of === undefined ? [] : objectNames(kubernetes, of)
    }),
    replacingCrds: once(async () =>
      (await inspections()).get(idOf.crds)?.state === 'differs' ? decisions.chart.crds : []
    ),
    keptCrds: once(async () => {
      const all = await Promise.all(decisions.chart.crds.map(async ({ metadata }) => crd(metadata.name)))
      const there = all.filter((one) => one !== undefined)
      return { found: there, keepers: await keepersOf(kubernetes, there, ownership, controller) }
    }),
    nodePoolRemains: once(async () => nodePoolRemains(kubernetes)),
    standingNodes: once(async () => {
      const [classes, pools] = await Promise.all([
        kubernetes.pick(ec2NodeClasses, lean),
        kubernetes.pick(nodePools, lean)
      ])
      return [...classes.items, ...pools.items]
    }),
    refusals: once(async () => refusals(kubernetes, await manifestsToApply(checked), lacking)),
    admissionRefusals: once(async () =>
      admissionRefusals(kubernetes, await objectsToMake(checked), {
        namespace: inputs.namespace,
        ownership,
        lacking
      })
    ),
    nodeClass: onceEach(
      async (name: string) =>
        decisions.nodeClasses.find(({ metadata }) => metadata.name === name) ??
        kubernetes.get(ec2NodeClasses, name)
    ),
    subnetsOf: onceEach(subnetsByTerm(aws)),
    securityGroupsOf: onceEach(securityGroupsByTerm(aws)),
    nodeRole: onceEach(nodeRole(aws)),
    instanceProfile: onceEach(instanceProfile(aws)),
    anyImage: onceEach(anyImage(aws)),
    offeredTypes: onceEach(offeredTypes(aws)),
    describedTypes: onceEach(describedTypes(aws)),
    ...found.network
  }
}
