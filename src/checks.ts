import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import { type Decisions, releaseName } from './decisions.js'
import type { Discovery } from './discovery.js'
import type { Step } from './engine/resource.js'
import { unknownValues } from './helm/values.js'
import type { Inputs } from './inputs.js'
import type { Kubernetes } from './kubernetes/client.js'
import { customResourceDefinitions } from './kubernetes/kinds.js'
import { anotherKarpenter } from './preflight/another-karpenter.js'
import { autoMode } from './preflight/auto-mode.js'
import { clusterActive } from './preflight/cluster-active.js'
import { controllerCapacity } from './preflight/controller-capacity.js'
import { type Check, findingText, runPreflight } from './preflight/index.js'
import { namesAndPolicySize } from './preflight/names-and-policy-size.js'
import { nodeClassSelectors } from './preflight/node-class-selectors.js'
import { queue } from './preflight/queue.js'
import { findByTerm, queueUrl } from './preflight/reads.js'
import { subnetTagsConflict } from './preflight/subnet-tags-conflict.js'
import { templatePolicies } from './preflight/template-policies.js'
import { versionPair } from './preflight/version-pair.js'
import { refusals } from './resources/dry-run.js'

export interface Checked {
  readonly inputs: Inputs
  readonly found: Discovery
  readonly decisions: Decisions
}

/** Everything that can be known to be wrong before the first write: errors in one, warnings as annotations. */
export async function preflight(checked: Checked, step: Step): Promise<void> {
  const checks = checksOf(checked, await retiredCrds(checked.found.kubernetes))
  const findings = await runPreflight(checks)
  for (const finding of findings) {
    if (finding.level === 'warning') step.warning(findingText(finding))
    else step.note(findingText(finding))
  }
  step.note(`${checks.length} checks, ${findings.length} findings`)
}

function checksOf(
  { inputs, found, decisions }: Checked,
  crds: readonly CustomResourceDefinition[]
): readonly Check[] {
  const { cluster, subnets, securityGroups, controllers, nodes, aws } = found
  const { version, stack, values } = decisions
  const clusterName = cluster.name
  return [
    autoMode(cluster),
    clusterActive(cluster),
    versionPair({ version, installed: decisions.installed, kubernetes: cluster.kubernetesVersion }),
    namesAndPolicySize({
      clusterName,
      controllerRoleName: inputs.controllerRoleName,
      stackName: inputs.stackName,
      karpenterVersion: version,
      stack
    }),
    subnetTagsConflict({ clusterName, subnets, securityGroups }),
    nodeClassSelectors({
      clusterName,
      nodeClasses: decisions.nodeClasses,
      subnets,
      securityGroups,
      find: findByTerm(aws)
    }),
    queue({
      input: inputs.interruptionQueue,
      helmValues: inputs.helmValues,
      region: inputs.region,
      karpenterVersion: version,
      stack,
      queueUrl: queueUrl(aws)
    }),
    anotherKarpenter({
      namespace: inputs.namespace,
      releaseName,
      karpenterVersion: version,
      controllers,
      crds
    }),
    controllerCapacity({ nodes, values }),
    templatePolicies({ karpenterVersion: version, stack, origin: decisions.templateOrigin }),
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

/** CRDs that only Karpenter before 0.33 had. */
async function retiredCrds(kubernetes: Kubernetes): Promise<readonly CustomResourceDefinition[]> {
  const names = ['provisioners.karpenter.sh', 'machines.karpenter.sh', 'awsnodetemplates.karpenter.k8s.aws']
  const found = await Promise.all(names.map(async (name) => kubernetes.get(customResourceDefinitions, name)))
  return found.filter((crd) => crd !== undefined)
}
