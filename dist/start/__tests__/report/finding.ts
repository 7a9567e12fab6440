import type { Finding } from '../../src/engine/findings.js'

/** A NodePool whose limit somebody has changed. */
export const finding: Finding = {
  kind: 'drift',
  id: 'node-pool/default',
  title: 'NodePool default',
  layer: 'karpenter',
  path: 'spec.limits.cpu',
  wanted: '1000',
  recorded: '1000',
  live: '4',
  severity: 'breaks scaling',
  reason: 'spec.limits.cpu is "4", not "1000"',
  install: 'change it back to 1000',
  by: { manager: 'kubectl-edit', operation: 'Update', time: '2026-11-24T10:00:00Z' }
}
