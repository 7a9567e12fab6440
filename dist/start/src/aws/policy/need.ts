/** Values of condition keys, one or several. */
export type ConditionContext = Readonly<Record<string, string | readonly string[]>>

/** Actions on resources that an install calls under the same conditions; docs/permissions/install.json and install-iam.json allow them all. */
export interface Need {
  readonly actions: readonly string[]
  /** ARNs, without wildcards. */
  readonly resources: readonly string[]
  readonly context: ConditionContext
}
