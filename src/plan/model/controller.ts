import { releaseName } from '../../karpenter/names.js'
import type { AnyResource } from '../../engine/resource.js'
import { newerBefore } from '../../karpenter/versions.js'
import { crds } from '../../resources/controller/crds.js'
import { flowSchemas } from '../../resources/controller/flow-schemas.js'
import { helmRelease } from '../../resources/controller/helm-release.js'
import { namespace } from '../../resources/controller/namespace.js'
import { recordedRelease } from '../../resources/recorded.js'
import { controllerPods } from '../../resources/controller/controller-pods.js'
import { narrowTrust } from '../../resources/controller/controller-role.js'
import { type ReadPods, trusts, wantedIdentity } from './identity.js'
import { changesVersion, type ModelParts } from './parts.js'
import { staysText } from './stays-text.js'
import { idOf } from '../../resources/ids.js'

/** What runs in the cluster: namespace, flow schemas, CRDs, chart. */
export function controller(
  parts: ModelParts,
  /** Of the queue and its rules: they stay as long as the controller listens. */
  interruptionIds: readonly string[],
  /** Of the release: as they are, and as they were read for a comparison. */
  pods: { readonly read: ReadPods; readonly seen: ReadPods }
): readonly AnyResource[] {
  const { inputs, found, decisions, ownership, keep, removal } = parts
  const { kubernetes } = found
  const flows = flowSchemas(
    { namespace: inputs.namespace, serviceAccount: releaseName },
    { kubernetes, ownership, dependsOn: [] }
  )
  const { installed, version } = decisions
  // A newer controller loses what older CRDs do not have; an older one works with newer CRDs: it goes back before them.
  const newer = newerBefore(version, {
    installed,
    recorded: found.record?.karpenterVersion
  })
  const chartFirst = removal === undefined && newer !== undefined
  // By IRSA what is associated goes before the first pods, and otherwise when they can do without it.
  const retired = decisions.identity === 'irsa' ? [idOf.retiredAssociation] : []
  const first = installed === undefined
  const identityIds =
    decisions.identity === 'irsa'
      ? [idOf.oidcProvider, ...(first ? retired : [])]
      : [idOf.podIdentityAssociation]
  // In a removal nothing is wanted of pods.
  const identity = removal === undefined ? wantedIdentity(parts) : undefined
  return [
    namespace({ name: inputs.namespace }, { kubernetes, ownership, dependsOn: [] }),
    ...(flows === undefined ? [] : [flows]),
    crds(
      { version, crds: decisions.chart.crds },
      {
        kubernetes,
        ownership,
        // What AWS refuses is seen before the running controller's CRDs are changed.
        dependsOn: chartFirst
          ? [idOf.helmRelease]
          : changesVersion(parts)
            ? [idOf.controllerRolePolicies]
            : [],
        choice: inputs.crds,
        release: { name: releaseName, namespace: inputs.namespace },
        keep,
        removable: removal?.removeCrds === true,
        autoMode: found.cluster.autoMode,
        downgrade: chartFirst
      }
    ),
    helmRelease(
      {
        name: releaseName,
        namespace: inputs.namespace,
        chart: inputs.chart,
        version,
        digest: decisions.chart.digest,
        values: decisions.values
      },
      {
        kubernetes,
        ownership,
        dependsOn: [
          idOf.namespace,
          ...(flows === undefined ? [] : [flows.id]),
          ...(chartFirst ? [] : [idOf.crds]),
          idOf.stack,
          ...interruptionIds,
          idOf.controllerRolePolicies,
          ...identityIds,
          ...(removal === undefined ? [] : [idOf.leftovers]),
          // A release that somebody else keeps goes on making nodes, which must be able to join.
          ...(removal === undefined || found.adopted === undefined ? [] : [idOf.nodeAccess])
        ],
        // IAM has taken them; that it shows them to readers as well is waited for beside helm.
        onceWritten: [idOf.controllerRolePolicies],
        helm: decisions.helm,
        chart: async () => decisions.chart,
        recorded: recordedRelease(found.record),
        identity,
        removing: removal !== undefined,
        pods: identity === undefined ? undefined : pods.seen,
        stays: (running) => staysText(inputs, { version, running, crdsGoAfter: chartFirst })
      }
    ),
    ...(identity === undefined
      ? []
      : [
          controllerPods(
            { ...identity, namespace: inputs.namespace },
            {
              kubernetes,
              pods: pods.read,
              rollout: {
                release: releaseName,
                namespace: inputs.namespace,
                values: decisions.values,
                identity
              },
              dependsOn: [idOf.helmRelease, idOf.controllerRole, ...retired],
              renewed: async (step) =>
                narrowTrust(
                  found.aws,
                  {
                    clusterName: found.cluster.name,
                    name: inputs.controllerRoleName,
                    trust: trusts(parts).wanted
                  },
                  step
                )
            }
          )
        ])
  ]
}
