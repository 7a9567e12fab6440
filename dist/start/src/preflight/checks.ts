import type { Step } from '../engine/resource.js'
import { denialOf } from '../resources/denied.js'
import { admission } from './admission.js'
import { autoMode } from './auto-mode.js'
import type { CheckName } from './catalogue.js'
import { chartValues } from './chart-values.js'
import { clusterActive } from './cluster-active.js'
import { clusterAutoscaler } from './cluster-autoscaler.js'
import { anotherKarpenter } from './controller/another-karpenter.js'
import { controllerCapacity } from './controller/controller-capacity.js'
import { controllerOnOwnNodes } from './controller/controller-on-own-nodes.js'
import { identity } from './controller/identity.js'
import { queue } from './controller/queue.js'
import { rollingUpdate } from './controller/rolling-update.js'
import { type Checked, type Facts, factsOf } from './facts.js'
import type { Concern, Concerns, PreflightFinding } from './finding.js'
import { findingText, runPreflight } from './index.js'
import { leftCrds } from './left-crds.js'
import { nameTaken } from './name-taken.js'
import { namesAndPolicySize } from './names-and-policy-size.js'
import { amiAlias } from './nodes/ami-alias.js'
import { manifestDryRun } from './nodes/manifest-dry-run.js'
import { nodeClassImages } from './nodes/node-class-images.js'
import { nodeClassReference } from './nodes/node-class-reference.js'
import { nodeClassRole } from './nodes/node-class-role.js'
import { nodeClassSelectors } from './nodes/node-class-selectors.js'
import { nodePoolRequirements } from './nodes/node-pool-requirements.js'
import { prunedFields } from './nodes/pruned-fields.js'
import { notOurs } from './not-ours.js'
import { permissions } from './permissions.js'
import { stackServiceRole } from './stack-service-role.js'
import { templatePolicies } from './template-policies.js'
import { v1beta1Remains } from './v1beta1-remains.js'
import { versionPair } from './version-pair.js'
import { ipv6Pods } from './vpc/ipv6-pods.js'
import { network } from './vpc/network.js'
import { nodeSecurityGroups } from './vpc/node-security-groups.js'
import { subnetTagsConflict } from './vpc/subnet-tags-conflict.js'

type Check = (facts: Facts) => Concerns

/** Asked by discovery and adoption, where one that is refused leaves nothing to ask the others about. */
type AskedBefore = 'cluster-endpoint' | 'not-adopted'
/** Asked where the manifests are the user's own, and something is to be changed. */
type OfGivenManifests =
  'node-class-role' | 'node-class-images' | 'node-class-reference' | 'node-pool-requirements'

/** In the order in which their findings are said. A name of the catalogue that is missing does not compile. */
const ofEveryRun: Readonly<Record<Exclude<CheckName, AskedBefore | OfGivenManifests>, Check>> = {
  'auto-mode': autoMode,
  'cluster-active': clusterActive,
  'version-pair': versionPair,
  'rolling-update': rollingUpdate,
  'v1beta1-remains': v1beta1Remains,
  'another-karpenter': anotherKarpenter,
  'cluster-autoscaler': clusterAutoscaler,
  identity,
  'controller-capacity': controllerCapacity,
  'names-and-policy-size': namesAndPolicySize,
  'subnet-tags-conflict': subnetTagsConflict,
  network,
  'ipv6-pods': ipv6Pods,
  'node-security-groups': nodeSecurityGroups,
  queue,
  'not-ours': notOurs,
  'name-taken': nameTaken,
  'stack-service-role': stackServiceRole,
  permissions,
  'template-policies': templatePolicies,
  'chart-values': chartValues,
  admission,
  'left-crds': leftCrds,
  'pruned-fields': prunedFields,
  'node-class-selectors': nodeClassSelectors,
  'ami-alias': amiAlias,
  'manifest-dry-run': manifestDryRun,
  'controller-on-own-nodes': controllerOnOwnNodes
}

const ofGivenManifests: Readonly<Record<OfGivenManifests, Check>> = {
  'node-class-role': onChanges(nodeClassRole),
  'node-class-images': onChanges(nodeClassImages),
  'node-class-reference': onChanges(nodeClassReference),
  'node-pool-requirements': onChanges(nodePoolRequirements)
}

/** Everything that can be known to be wrong before the first write: errors in one, warnings as annotations. */
export async function preflight(
  checked: Checked,
  step: Step,
  found: (findings: readonly PreflightFinding[]) => void
): Promise<void> {
  const facts = factsOf(checked)
  const all = Object.entries({
    ...ofEveryRun,
    ...(facts.usesOthersRole && { 'node-class-role': ofGivenManifests['node-class-role'] }),
    ...(facts.manifestsGiven && ofGivenManifests)
  })
  const checks = checked.inputs.mode === 'plan' ? ofReader(all) : all
  const findings = await runPreflight(
    Object.fromEntries(checks.map(([name, check]) => [name, () => check(facts)])),
    checked.inputs.preflight
  )
  found(findings)
  for (const finding of findings) {
    if (finding.level === 'warning') step.warning(findingText(finding))
    else step.note(findingText(finding))
  }
  step.note(`${checks.length} checks, ${findings.length} findings`)
}

/**
 * Of a plan, whose caller need only read: what the caller may do is nothing to the install, which has another role, and
 * what the caller may not look at the install looks at.
 */
function ofReader(checks: readonly (readonly [string, Check])[]): readonly (readonly [string, Check])[] {
  return checks
    .filter(([name]) => name !== ('permissions' satisfies CheckName))
    .map(([name, check]) => [name, async (facts) => asFarAsRead(name, async () => check(facts))])
}

async function asFarAsRead(subject: string, check: () => Concerns): Promise<readonly Concern[]> {
  try {
    return await check()
  } catch (error) {
    const denial = denialOf(error)
    if (denial === undefined) throw error
    return [
      {
        level: 'note',
        subject,
        problem: `is left to the install, whose role may ${denial.missingPermission}: ${denial.reason}`,
        evidence: '',
        fix: 'A plan needs no more rights than a check.'
      }
    ]
  }
}

/** What a run that changes nothing was told by the run that installed need not be asked again. */
function onChanges(check: Check): Check {
  return async (facts) => ((await facts.changes()) ? check(facts) : [])
}
