import { principalOf, simulate } from './aws/simulate.js'
import { type Decisions, releaseName } from './decisions.js'
import type { Discovery } from './discovery.js'
import type { Inspection, Step } from './engine/resource.js'
import { findReleases } from './helm/release.js'
import { unknownValues } from './helm/values.js'
import type { Inputs } from './inputs.js'
import { amiAlias } from './preflight/ami-alias.js'
import { anotherKarpenter } from './preflight/another-karpenter.js'
import { autoMode } from './preflight/auto-mode.js'
import { clusterActive } from './preflight/cluster-active.js'
import { clusterAutoscaler } from './preflight/cluster-autoscaler.js'
import { controllerCapacity } from './preflight/controller-capacity.js'
import { fargateProfiles } from './preflight/fargate-profiles.js'
import { identity } from './preflight/identity.js'
import { type Check, type Finding, findingText, runPreflight } from './preflight/index.js'
import { namesAndPolicySize } from './preflight/names-and-policy-size.js'
import { nameTaken } from './preflight/name-taken.js'
import { network } from './preflight/network.js'
import { networkReads } from './preflight/network-reads.js'
import { nodeClassSelectors } from './preflight/node-class-selectors.js'
import { notOurs } from './preflight/not-ours.js'
import { retiredCrds } from './preflight/older-crds.js'
import { objectNames, olderCrds, olderWebhooks } from './preflight/older-karpenter-reads.js'
import { podsOn } from './preflight/node-room.js'
import { permissions } from './preflight/permissions.js'
import { plannedNeeds } from './preflight/plan-permissions.js'
import { queue } from './preflight/queue.js'
import { findByTerm, podIdentityAgentNodes, publishedParameters, queueUrl } from './preflight/reads.js'
import { subnetTagsConflict } from './preflight/subnet-tags-conflict.js'
import { templatePolicies } from './preflight/template-policies.js'
import { nodePoolRemains, v1beta1Remains } from './preflight/v1beta1-remains.js'
import { versionPair } from './preflight/version-pair.js'
import { refusals } from './resources/dry-run.js'

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
  return [...ofCluster(checked), ...ofAccount(checked), ...ofInputs(checked)]
}

function ofCluster({ inputs, found, decisions, inspections }: Checked): readonly Check[] {
  const { cluster, controllers, autoscalers, nodes, kubernetes } = found
  const { version, installed, values } = decisions
  return [
    autoMode(cluster),
    clusterActive(cluster),
    versionPair({ version, installed, kubernetes: cluster.kubernetesVersion }),
    v1beta1Remains({ version, installed, nodePools: nodePoolRemains(kubernetes) }),
    anotherKarpenter({
      namespace: inputs.namespace,
      releaseName,
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
      profiles: fargateProfiles(found.aws, cluster.name),
      podsOn: podsOn(kubernetes, { namespace: inputs.namespace, releaseName })
    })
  ]
}

/** What older versions have left was said by the run that installed; one that changes nothing need not ask again. */
function changes(inspections: ReadonlyMap<string, Inspection>): boolean {
  return [...inspections.values()].some(({ state }) => state !== 'as wanted')
}

/** A comparison that failed ends the run by itself; what can be said without it is said first. */
async function willChange(inspections: Checked['inspections']): Promise<boolean> {
  return inspections.then(changes, () => false)
}

/** Retired ones, and of today's those that may be of another version. */
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
    nodeClassSelectors({
      clusterName: cluster.name,
      nodeClasses,
      subnets,
      securityGroups,
      find: findByTerm(aws)
    }),
    amiAlias({
      nodeClasses,
      kubernetes: cluster.kubernetesVersion,
      published: publishedParameters(aws)
    }),
    queue({
      input: inputs.interruptionQueue,
      helmValues: inputs.helmValues,
      region: inputs.region,
      karpenterVersion: version,
      stack,
      queueUrl: queueUrl(aws)
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

function ofInputs({ inputs, found, decisions }: Checked): readonly Check[] {
  const { version, stack, templateOrigin } = decisions
  return [
    templatePolicies({ karpenterVersion: version, stack, origin: templateOrigin }),
    chartValues(inputs, decisions),
    manifestDryRun(found, decisions)
  ]
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

/** The API server's own word on the manifests, where their CRDs are there already. */
function manifestDryRun(found: Discovery, decisions: Decisions): Check {
  return {
    name: 'manifest-dry-run',
    run: async () =>
      (await refusals(found.kubernetes, [...decisions.nodeClasses, ...decisions.nodePools])).map(
        ({ title, message }) => ({
          check: 'manifest-dry-run',
          level: 'error',
          subject: 'node-pools',
          problem: `${title}: ${message}`,
          evidence: 'dry run of the API server',
          fix: 'Correct the manifest and run again.'
        })
      )
  }
}
