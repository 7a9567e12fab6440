/** Every output of action.yml. Values are text; what is not known is left out and stays empty. */
export interface Outputs {
  'karpenter-version'?: string
  'kubernetes-version'?: string
  changed?: string
  'nodes-before'?: string
  'nodes-after'?: string
  'nodes-added'?: string
  'node-names'?: string
  'instance-types'?: string
  'node-ready-seconds'?: string
  'scale-down-seconds'?: string
  'controller-role-arn'?: string
  'node-role-arn'?: string
  'queue-name'?: string
  'stack-name'?: string
  'chart-digest'?: string
  report?: string
}

/** Sets what is known; called after a failure too, so that later steps see how far the run came. */
export function setOutputs(outputs: Outputs, setOutput: (name: string, value: string) => void): void {
  for (const [name, value] of Object.entries(outputs)) setOutput(name, value)
}
