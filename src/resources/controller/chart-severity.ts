import { setDifference } from '../../engine/compare.js'
import type { Severity } from '../../engine/difference.js'
import type { SeverityOf } from '../../kubernetes/differences.js'
import type { Manifest } from '../../kubernetes/manifest.js'

/** How much it matters that an object of the chart is not as the chart has it. */
export function chartSeverity(manifest: Manifest): SeverityOf {
  return (path, { wanted, live }): Severity => {
    if (/^(rules|subjects)(\[|\.|$)/.test(path)) {
      return more(wanted, live) ? 'weakens security' : 'breaks scaling'
    }
    // Without it the controller has no role.
    if (live === undefined && path.startsWith('metadata.annotations.eks.amazonaws.com/'))
      return 'breaks scaling'
    if (/^metadata\.(annotations\.eks\.amazonaws\.com|labels\.rbac\.authorization\.k8s\.io)\//.test(path)) {
      return 'weakens security'
    }
    if (path.startsWith('metadata.')) return 'cosmetic'
    if (/securityContext|\.host(Network|PID|IPC|Users)$|automountServiceAccountToken/.test(path))
      return 'weakens security'
    // A container or volume that somebody put beside the controller has its service account.
    if (wanted === undefined && /\.(containers|initContainers|volumes)(\[[^\]]*\])?$/.test(path))
      return 'weakens security'
    if (manifest.kind === 'Deployment' && /^spec\.revisionHistoryLimit$/.test(path)) return 'cosmetic'
    return 'breaks scaling'
  }
}

/** Whether the list allows or binds what the wanted one does not. */
function more(wanted: unknown, live: unknown): boolean {
  const own: readonly unknown[] = Array.isArray(wanted) ? wanted : []
  return Array.isArray(live) ? setDifference(own, live).surplus.length > 0 : wanted === undefined
}
