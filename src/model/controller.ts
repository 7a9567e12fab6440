import { releaseName } from '../decisions.js'
import type { AnyResource } from '../engine/resource.js'
import { newerBefore } from '../karpenter/versions.js'
import { crds } from '../resources/crds.js'
import { flowSchemas } from '../resources/flow-schemas.js'
import { helmRelease } from '../resources/helm-release.js'
import { namespace } from '../resources/namespace.js'
import { recordedRelease } from '../recorded.js'
import type { ModelParts } from './parts.js'

/** What runs in the cluster: namespace, flow schemas, CRDs, chart. */
export function controller(
  { inputs, found, decisions, ownership, keep, removal }: ModelParts,
  /** Of the queue and its rules: they stay as long as the controller listens. */
  interruptionIds: readonly string[]
): readonly AnyResource[] {
  const { kubernetes } = found
  const flows = flowSchemas(
    { namespace: inputs.namespace, serviceAccount: releaseName },
    { kubernetes, ownership, dependsOn: [] }
  )
  const { installed, version } = decisions
  const changesVersion = removal === undefined && installed !== undefined && installed !== version
  // A newer controller loses what older CRDs do not have; an older one works with newer CRDs: it goes back before them.
  const newer = newerBefore(version, {
    installed,
    recorded: found.record?.karpenterVersion
  })
  const chartFirst = removal === undefined && newer !== undefined
  const identityIds = decisions.identity === 'irsa' ? ['oidc-provider'] : ['pod-identity-association']
  return [
    namespace({ name: inputs.namespace }, { kubernetes, ownership, dependsOn: [] }),
    ...(flows === undefined ? [] : [flows]),
    crds(
      { version, crds: decisions.chart.crds },
      {
        kubernetes,
        ownership,
        // What AWS refuses is seen before the running controller's CRDs are changed.
        dependsOn: chartFirst ? ['helm-release'] : changesVersion ? ['controller-role-policies'] : [],
        choice: inputs.crds,
        release: { name: releaseName, namespace: inputs.namespace },
        keep,
        removable: removal?.removeCrds ?? false,
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
          'namespace',
          ...(flows === undefined ? [] : [flows.id]),
          ...(chartFirst ? [] : ['crds']),
          'stack',
          ...interruptionIds,
          'controller-role-policies',
          ...identityIds,
          ...(removal === undefined ? [] : ['leftovers'])
        ],
        helm: async () => decisions.helm,
        chart: async () => decisions.chart,
        recorded: recordedRelease(found.record),
        stays: (running) =>
          chartFirst
            ? `CRDs are still those of ${running}; stack and the controller role's policies are left as this run has put them.`
            : `CRDs, stack and the controller role's policies are left as this run has put them, those of ${version} and what ${running} needs.`
      }
    )
  ]
}
