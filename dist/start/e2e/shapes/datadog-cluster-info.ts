import { dump } from 'js-yaml'
import type { Sandbox } from '../../sandbox/index.js'
import { text } from '../../sandbox/values.js'
import { at, listed, paths } from '../scenario.js'
import { create } from './kubectl.js'
import { installedVersion } from './shape.js'

export interface InstalledBy {
  readonly namespace: string
  readonly release: string
  /** Field manager. */
  readonly manager: string
  readonly pluginVersion: string
}

/** What kubectl-datadog writes down for its next step: which nodes are whose. */
export async function recordCluster(sandbox: Sandbox, by: InstalledBy): Promise<void> {
  const { namespace, release, manager, pluginVersion } = by
  const nodes = await listed(sandbox, paths.nodes)
  const named = (onFargate: boolean): readonly string[] =>
    nodes
      .filter((node) => (computeTypeOf(node) === 'fargate') === onFargate)
      .map((node) => text(at(node, 'metadata', 'name')) ?? '')
  const onFargate = named(true)
  const info = {
    apiVersion: 'v1',
    clusterName: sandbox.name,
    region: sandbox.region,
    nodeManagement: {
      eksManagedNodeGroup: { managed: { nodes: named(false) } },
      ...(onFargate.length === 0 ? {} : { fargate: { '': { nodes: onFargate } } })
    },
    autoscaling: {
      clusterAutoscaler: { present: false },
      karpenter: {
        present: true,
        namespace,
        name: release,
        version: installedVersion,
        managedByDatadog: true,
        installerVersion: pluginVersion
      },
      eksAutoMode: { enabled: false }
    }
  }
  await create(
    sandbox,
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'dd-cluster-info',
        namespace,
        labels: { 'app.kubernetes.io/managed-by': 'kubectl-datadog' }
      },
      data: { 'cluster-info': dump(info) }
    },
    manager
  )
}

function computeTypeOf(node: unknown): string | undefined {
  return text(at(node, 'metadata', 'labels', 'eks.amazonaws.com/compute-type'))
}
