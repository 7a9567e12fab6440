import type { Difference } from '../engine/difference.js'
import type { Layer } from '../engine/resource.js'

/** What one resource of the model comes to in an installation that somebody else made. */
export interface AdoptionEntry {
  readonly id: string
  readonly title: string
  readonly layer: Layer
  readonly state: 'as wanted' | 'different' | "somebody else's" | 'missing' | 'unknown'
  /** `eksctl, CloudFormation stack eksctl-blue-karpenter`; undefined where nobody else keeps it. */
  readonly keeper?: string
  /** What was seen on it, one line each. */
  readonly evidence: readonly string[]
  readonly differences: readonly Difference[]
  /** What an install with `adopt: true` does about it. */
  readonly adopt: string
}
