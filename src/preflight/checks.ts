import { principalOf, simulate } from '../aws/simulate.js'
import { type Decisions, releaseName } from '../plan/decisions.js'
import type { Discovery } from '../plan/discovery.js'
import { changes } from '../engine/changes.js'
import type { Inspection, Step } from '../engine/resource.js'
import { findReleases } from '../helm/release.js'
import { unknownValues } from '../helm/values.js'
import type { Inputs } from '../inputs/inputs.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { ec2NodeClasses, nodePools } from '../kubernetes/kinds.js'
import type { Manifest } from '../kubernetes/manifest.js'
import { checksOfManifests } from './manifest-checks.js'
import { anotherKarpenter } from './controller/another-karpenter.js'
import { autoMode } from './auto-mode.js'
import { clusterActive } from './cluster-active.js'
import { clusterAutoscaler } from './cluster-autoscaler.js'
import { controllerCapacity, type ControllerCapacityFacts } from './controller/controller-capacity.js'
import { fargateProfiles } from './controller/fargate-profiles.js'
import { identity } from './controller/identity.js'
import { onceEach } from './reads/instance-type-reads.js'
import { type Check, type Finding, findingText, runPreflight } from './index.js'
import { namesAndPolicySize } from './names-and-policy-size.js'
import { leftCrds, type LeftCrdsFacts } from './left-crds.js'
import { nameTaken } from './name-taken.js'
import { network } from './vpc/network.js'
import { networkReads } from './reads/network-reads.js'
import { notOurs } from './not-ours.js'
import { retiredCrds } from './older-crds.js'
import { objectNames, olderCrds, olderWebhooks } from './reads/older-karpenter-reads.js'
import { controllerNodes, podsOn } from './controller/node-room.js'
import { permissions } from './permissions.js'
import { prunedFields } from './nodes/pruned-fields.js'
import { plannedNeeds } from './plan-permissions.js'
import { queue } from './controller/queue.js'
import { podIdentityAgentNodes, policyDocuments, queueUrl } from './reads/reads.js'
import { rollingUpdate } from './controller/rolling-update.js'
import { subnetTagsConflict } from './vpc/subnet-tags-conflict.js'
import { requiredStatements } from '../karpenter/required-statements.js'
import { templatePolicies, type TemplatePoliciesFacts } from './template-policies.js'
import { nodePoolRemains, v1beta1Remains } from './v1beta1-remains.js'
import { versionPair } from './version-pair.js'
import { keepersOf } from '../resources/controller/crd-keeper.js'

export interface Checked {
  readonly inputs: Inputs
  readonly found: Discovery
  readonly decisions: Decisions
  /** The comparison, which may have failed: then whatever else is wrong is said first. */
  readonly inspections: Promise<ReadonlyMap<string, Inspection>>
}

/** Everything that can be known to be wrong before the first write: errors in one, warnings as annotations. */
export async function preflight(
  checked: Checked,
  step: Step,
  found: (findings: readonly Finding[]) => void
): Promise<void> {
  const checks = checksOf(checked)
  const findings = await runPreflight(checks, checked.inputs.preflight)
  found(findings)
  for (const finding of findings) {
    if (finding.level === 'warning') step.warning(findingText(finding))
    else step.note(findingText(finding))
  }
  step.note(`${checks.length} checks, ${findings.length} findings`)
}

function checksOf(checked: Checked): readonly Check[] {
  const { aws, cluster } = checked.found
  const shared: SharedReads = {
    othersDocuments: othersDocuments(checked),
    profiles: onceEach(fargateProfiles(aws, cluster.name))
  }
  return [
    ...ofCluster(checked, shared),
    ...ofAccount(checked),
    ...ofInputs(checked, shared),
    ...checksOfManifests(checked, shared)
  ]
}

/** What more than one check asks, read once and when it is first asked. */
export interface SharedReads {
  readonly othersDocuments: OthersDocuments
  readonly profiles: ControllerCapacityFacts['profiles']
}

function ofCluster(
  { inputs, found, decisions, inspections }: Checked,
  { profiles }: SharedReads
): readonly Check[] {
  const { cluster, controllers, autoscalers, nodes, kubernetes } = found
  const { version, installed, values } = decisions
  return [
    autoMode(cluster),
    clusterActive(cluster),
    versionPair({
      version,
      range: decisions.facts.kubernetes,
      installed,
      recorded: found.record?.karpenterVersion,
      allowDowngrade: inputs.allowDowngrade,
      kubernetes: cluster.kubernetesVersion
    }),
    rollingUpdate({ version, installed, values }),
    v1beta1Remains({ version, installed, nodePools: nodePoolRemains(kubernetes) }),
    anotherKarpenter({
      namespace: inputs.namespace,
      releaseName,
      crdsChoice: inputs.crds,
      karpenterVersion: version,
      controllers,
      releases: async () => (changes(await inspections) ? findReleases(kubernetes) : []),
      crds: async () => olderCrds(kubernetes, crdsToLookAt(decisions, await inspections)),
      objectsOf: objectNames(kubernetes),
      webhooks: async () => (changes(await inspections) ? olderWebhooks(kubernetes) : [])
    }),
    clusterAutoscaler({ autoscalers, nodes }),
    identity({
      strategy: decisions.identity,
      oidcIssuer: cluster.oidcIssuer,
      agent: found.podIdentityAgentPods,
      agentNodes: podIdentityAgentNodes(kubernetes),
      nodes,
      values
    }),
    controllerCapacity({
      nodes,
      values,
      namespace: inputs.namespace,
      releaseName,
      identity: decisions.identity,
      changes: async () => willChange(inspections),
      profiles,
      podsOn: podsOn(kubernetes, { namespace: inputs.namespace, releaseName }),
      controllerNodes: controllerNodes(kubernetes, { namespace: inputs.namespace, releaseName })
    })
  ]
}

type OthersDocuments = NonNullable<TemplatePoliciesFacts['othersDocuments']>

/** Policies that an adopted controller role has of somebody else, read once when anything is to be changed. */
function othersDocuments({ found, inspections }: Checked): OthersDocuments {
  let read: ReturnType<OthersDocuments> | undefined
  const arns = found.adopted?.adoption.others.policyArns ?? []
  if (arns.length === 0) return async () => []
  return async () =>
    (read ??= inspections.then(async (all) => (changes(all) ? policyDocuments(found.aws)(arns) : undefined)))
}

/** A comparison that failed ends the run by itself; what can be said without it is said first. */
async function willChange(inspections: Checked['inspections']): Promise<boolean> {
  return inspections.then(changes, () => false)
}

/** Retired CRDs, and of today's those that may be of another version. A run that changes nothing need not ask again. */
function crdsToLookAt({ chart }: Decisions, inspections: ReadonlyMap<string, Inspection>): readonly string[] {
  if (!changes(inspections)) return []
  const todays = chart.crds.map(({ metadata }) => metadata.name)
  return [...retiredCrds, ...(inspections.get('crds')?.state === 'differs' ? todays : [])]
}

function ofAccount(checked: Checked): readonly Check[] {
  const { inputs, found, decisions } = checked
  const { cluster, subnets, securityGroups, aws } = found
  const { nodeClasses, stack, values, version } = decisions
  const inspections = async (): Promise<ReadonlyMap<string, Inspection>> => checked.inspections
  return [
    namesAndPolicySize({
      clusterName: cluster.name,
      controllerRoleName: inputs.controllerRoleName,
      stackName: inputs.stackName,
      karpenterVersion: version,
      stack,
      nodeClasses
    }),
    subnetTagsConflict({ clusterName: cluster.name, subnets, securityGroups }),
    network({
      clusterName: cluster.name,
      region: inputs.region,
      vpcId: cluster.vpcId,
      subnets,
      securityGroups,
      nodeClasses,
      values,
      podIdentity: decisions.identity === 'pod-identity',
      interruptionQueue: decisions.queueName !== undefined,
      changes: async () => willChange(checked.inspections),
      reads: networkReads(aws, cluster)
    }),
    queue({
      input: inputs.interruptionQueue,
      helmValues: inputs.helmValues,
      region: inputs.region,
      karpenterVersion: version,
      stack,
      queueUrl: queueUrl(aws),
      adopted: found.adopted?.adoption.others.queueName !== undefined
    }),
    notOurs(inspections),
    nameTaken({ stackName: inputs.stackName, inspections }),
    permissions({
      principal: principalOf(
        aws.account.callerArn,
        inputs.credentials.kind === 'oidc' ? inputs.credentials.roleArn : undefined
      ),
      needs: async () => plannedNeeds(checked, await inspections()),
      simulate: async (principal, needs) => simulate(aws, principal, needs)
    })
  ]
}

function ofInputs(checked: Checked, { othersDocuments }: SharedReads): readonly Check[] {
  const { inputs, found, decisions, inspections } = checked
  const { version, stack, templateOrigin } = decisions
  return [
    templatePolicies({
      karpenterVersion: version,
      required: requiredStatements(version, decisions.ownPolicies),
      stack,
      origin: templateOrigin,
      othersDocuments
    }),
    chartValues(inputs, decisions),
    leftCrds(leftOnes(checked)),
    prunedFields({
      version,
      crds: async () => ((await inspections).get('crds')?.state === 'differs' ? decisions.chart.crds : []),
      live: async () => standingNodes(found.kubernetes),
      given: [...decisions.nodeClasses, ...decisions.nodePools]
    })
  ]
}

/** CRDs that are left to others are looked at when anything is to be changed. */
function leftOnes({ inputs, found, decisions, inspections }: Checked): LeftCrdsFacts | undefined {
  if (inputs.crds !== 'leave') return undefined
  const ownership = { owner: 'setup-karpenter', run: '' }
  const own = { name: releaseName, namespace: inputs.namespace }
  return {
    version: decisions.version,
    crds: decisions.chart.crds,
    given: [...decisions.nodeClasses, ...decisions.nodePools],
    ownership,
    live: async () => {
      if (!changes(await inspections)) return undefined
      const names = decisions.chart.crds.map(({ metadata }) => metadata.name)
      const crds = await olderCrds(found.kubernetes, names)
      return { found: crds, keepers: await keepersOf(found.kubernetes, crds, ownership, own) }
    }
  }
}

/** NodePools and EC2NodeClasses of the cluster, whoever made them. */
async function standingNodes(kubernetes: Kubernetes): Promise<readonly Manifest[]> {
  const [classes, pools] = await Promise.all([kubernetes.list(ec2NodeClasses), kubernetes.list(nodePools)])
  return [...classes.items, ...pools.items]
}

/** The chart has no schema: helm takes anything and says nothing. */
function chartValues(inputs: Inputs, decisions: Decisions): Check {
  return {
    name: 'chart-values',
    run: async () =>
      unknownValues(inputs.helmValues, decisions.chart.values).map(({ path, problem }) => ({
        check: 'chart-values',
        level: 'error',
        subject: 'helm-values',
        problem: `${path}: ${problem}`,
        evidence: `the values of chart ${decisions.version}`,
        fix: 'Correct helm-values (or helm-values-file) and run again.'
      }))
  }
}
