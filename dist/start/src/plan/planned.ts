import type { Graph } from '../engine/graph.js'
import type { Inspection } from '../engine/resource.js'
import { withoutSecrets } from '../engine/secret-values.js'
import type { PlannedChange } from '../report/install-plan.js'
import type { Discovery } from './discovery.js'
import { recordIsBehind, recordIsLost } from './lost-record.js'
import { clusterMoved } from './version-findings.js'

type Found = Pick<Discovery, 'record' | 'brokenRecord' | 'denied' | 'recordValues' | 'cluster' | 'adopted'>

/** What an install would make and change, in the graph's order. What could not be read it would refuse, and not change. */
export function plannedChanges(
  graph: Graph,
  inspections: ReadonlyMap<string, Inspection>,
  found: Found,
  version: string
): readonly PlannedChange[] {
  const ofModel = graph.resources.flatMap(({ id }) => {
    const inspection = inspections.get(id)
    return inspection === undefined ? [] : changeOf(inspection)
  })
  return ofModel.length > 0 ? ofModel : recordAlone(found, version, inspections)
}

function changeOf({ resource, state, differences }: Inspection): readonly PlannedChange[] {
  const { id, title, layer } = resource
  if (state === 'absent') return [{ id, title, layer, action: 'create', differences: [] }]
  if (state !== 'differs') return []
  return [{ id, title, layer, action: 'change', differences: differences.map(withoutSecrets) }]
}

/** The record is written with every change; here it is all that an install would write. */
function recordAlone(
  found: Found,
  version: string,
  inspections: ReadonlyMap<string, Inspection>
): readonly PlannedChange[] {
  const reason = recordReason(found, version, inspections)
  if (reason === undefined) return []
  return [
    {
      id: 'record',
      title: 'ConfigMap kube-system/setup-karpenter',
      layer: 'kubernetes',
      action: found.record === undefined ? 'create' : 'change',
      differences: [{ path: '', wanted: undefined, live: undefined, reason, severity: 'cosmetic' }]
    }
  ]
}

function recordReason(
  found: Found,
  version: string,
  inspections: ReadonlyMap<string, Inspection>
): string | undefined {
  const { record, cluster, adopted, recordValues } = found
  if (adopted !== undefined && record?.adoption === undefined)
    return 'the record of what is taken over is to be written'
  if (recordIsLost(found, inspections)) return 'the record of the install is to be written anew'
  if (clusterMoved(record, cluster.kubernetesVersion))
    return `the cluster runs Kubernetes ${cluster.kubernetesVersion}, and the record says ${record?.kubernetesVersion ?? ''}`
  if (recordIsBehind(found, version, inspections))
    return 'the record says otherwise than what stands, which is as wanted, and is to be written'
  return recordValues === undefined ? undefined : 'helm-values of the record belong into the Secret beside it'
}
