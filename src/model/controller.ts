import { releaseName } from '../decisions.js'
import type { AnyResource } from '../engine/resource.js'
import { crds } from '../resources/crds.js'
import { flowSchemas } from '../resources/flow-schemas.js'
import { helmRelease } from '../resources/helm-release.js'
import { namespace } from '../resources/namespace.js'
import type { ModelParts } from './parts.js'

/** What runs in the cluster: namespace, flow schemas, CRDs, chart. */
export function controller(
  { inputs, found, decisions, ownership, removal }: ModelParts,
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
        dependsOn: changesVersion ? ['controller-role-policies'] : [],
        removable: removal?.removeCrds ?? false,
        autoMode: found.cluster.autoMode
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
          'crds',
          'stack',
          ...interruptionIds,
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
