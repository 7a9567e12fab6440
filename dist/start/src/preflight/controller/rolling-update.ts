import { isMap, mapAt } from '../../engine/json.js'
import { controllerPods } from './controller-pods.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'

/** Whether a controller runs at every moment of a change of version. */
export function rollingUpdate({
  version,
  installed,
  values
}: Pick<Facts, 'version' | 'installed' | 'values'>): readonly Concern[] {
  if (installed === undefined || installed === version) return []
  const { replicas } = controllerPods(values)
  if (replicas === 0 || staying(replicas, values['strategy']) > 0) return []
  return [
    {
      level: 'warning',
      subject: 'helm-values',
      problem: `no controller runs while ${version} starts in place of ${installed}: for seconds to minutes no node comes or goes, and pods that run are not touched`,
      evidence: `replicas: ${replicas}, strategy: ${JSON.stringify(values['strategy'] ?? 'of the chart, maxUnavailable 1')}`,
      fix: 'Pass two replicas; or, where another node can take the new pod, `strategy: { rollingUpdate: { maxUnavailable: 0 } }`.'
    }
  ]
}

/** Pods that a Deployment leaves Ready; the chart's own strategy takes one away (charts/karpenter/values.yaml, 1.0 to 1.14). */
function staying(replicas: number, strategy: unknown): number {
  if (isMap(strategy) && strategy['type'] === 'Recreate') return 0
  const most = mapAt(strategy, 'rollingUpdate')['maxUnavailable'] ?? 1
  const share = typeof most === 'string' ? /^(\d+)%$/.exec(most)?.[1] : undefined
  return replicas - (share === undefined ? Number(most) : Math.floor((Number(share) * replicas) / 100))
}
