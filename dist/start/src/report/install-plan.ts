import type { Difference } from '../engine/difference.js'
import type { Layer } from '../engine/resource.js'

/** Version of the plan's shape: the number grows when a field changes its meaning or goes. */
export const planSchema = 'setup-karpenter/plan/v1'

/** One thing that an install would write. */
export interface PlannedChange {
  /** Stable: `subnet-tags`, `node-pool/default`; `record` and `smoke-test` beside the model's. */
  readonly id: string
  readonly title: string
  readonly layer: Layer
  readonly action: 'create' | 'change' | 'remove'
  /** Of what is changed; what is made is made as a whole. Nothing secret. */
  readonly differences: readonly Difference[]
}

/** What an install with the same inputs would do now. */
export interface InstallPlan {
  readonly schema: typeof planSchema
  readonly cluster: { readonly name: string; readonly region: string }
  readonly karpenter: {
    /** Undefined: none runs. */
    readonly installed?: string
    readonly wanted: string
  }
  /** How many `resources` there are: 0 when all is as wanted. */
  readonly changes: number
  readonly resources: readonly PlannedChange[]
  /** How many resources of the model are as wanted. */
  readonly asWanted: number
  /** How many differences `ignore` takes in; they are no changes. */
  readonly ignored: number
  /** Why an install would end before its first write, one text each; empty when it would go on. */
  readonly refusals: readonly string[]
  /** Nodes that Karpenter replaces because of it; left out where nothing says that it replaces any. */
  readonly nodes?: { readonly replaced: number; readonly mayBeReplaced: number }
  /** Pods of the smoke test that would follow; 0: none. */
  readonly smokeTestPods: number
}
