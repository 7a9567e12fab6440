/** Every output of action.yml, in its order. */
export const outputNames = [
  'karpenter-version',
  'karpenter-tested',
  'kubernetes-version',
  'changed',
  'nodes-before',
  'nodes-after',
  'nodes-added',
  'node-names',
  'node-names-json',
  'instance-types',
  'instance-types-json',
  'node-ready-seconds',
  'scale-down-seconds',
  'controller-role-arn',
  'node-role-arn',
  'queue-name',
  'stack-name',
  'chart-digest',
  'drift',
  'unhealthy',
  'pending',
  'unknown',
  'changes',
  'plan',
  'leftovers',
  'clusters',
  'report'
] as const

/** What is known of the outputs; the rest stays empty. */
export type Outputs = Partial<Record<(typeof outputNames)[number], string>>

/** Sets what is known; called after a failure too, so that later steps see how far the run came. */
export function setOutputs(outputs: Outputs, setOutput: (name: string, value: string) => void): void {
  for (const name of outputNames) {
    const value = outputs[name]
    if (value !== undefined) setOutput(name, value)
  }
}
