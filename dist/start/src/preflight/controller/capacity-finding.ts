import type { Concern } from '../finding.js'

/** What the fix with one replica means. */
export const oneReplica =
  '`helm-values: "replicas: 1"` (one controller and no standby: while its node is replaced or an upgrade rolls, and the chart lets the old pod go first, nobody provisions nodes; pods that run are not touched)'

export function capacityFinding(
  level: Concern['level'],
  problem: string,
  evidence: string,
  fix: string,
  more: Pick<Concern, 'override'> = {}
): Concern {
  return { level, subject: 'helm-values', problem, evidence, fix, ...more }
}

/** Where something else adds nodes once pods wait for them (Cluster Autoscaler), going on makes sense. */
export function refused(problem: string, evidence: string, fix: string): Concern {
  return capacityFinding('error', problem, evidence, fix, { override: 'controller-capacity' })
}
