import type { Decisions } from '../decisions.js'
import type { Discovery } from '../discovery.js'
import type { Ownership } from '../../aws/environment.js'
import type { Inputs, RemovalInput } from '../../inputs/inputs.js'

export interface ModelParts {
  readonly inputs: Inputs
  readonly found: Discovery
  readonly decisions: Decisions
  readonly ownership: Ownership
  /** Keeps a text in the report before it is changed. */
  readonly keep: (name: string, text: string) => void
  /** Of a removal only; what Karpenter made in AWS is part of the model then. */
  readonly removal?: RemovalInput
}

/** Whether an install replaces a controller of another version. */
export function changesVersion({ decisions: { installed, version }, removal }: ModelParts): boolean {
  return removal === undefined && installed !== undefined && installed !== version
}
