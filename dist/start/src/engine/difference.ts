/**
 * How much a difference matters to whoever runs the cluster: nodes do not come, or not rightly; somebody may do more than
 * was meant; it works on, and otherwise than was asked for; or nobody notices.
 */
export type Severity = 'breaks scaling' | 'weakens security' | 'changes behaviour' | 'cosmetic'

/** Who wrote a live value, as far as Kubernetes' managedFields know. */
export interface Author {
  /** Field manager: `kubectl-edit`, `argocd-controller`. */
  readonly manager: string
  /** `Apply` or `Update`; of a release its revision. */
  readonly operation?: string
  /** ISO 8601. */
  readonly time?: string
}

/** One place in which the live state is not as wanted. */
export interface Difference {
  /** Field path inside the resource: `tags.karpenter.sh/discovery`, `spec.limits.cpu`; empty for the resource itself. */
  readonly path: string
  readonly wanted: unknown
  readonly live: unknown
  /** One sentence for a person. */
  readonly reason: string
  readonly severity: Severity
  /** What depends on it, in a few words, where a rule says so. */
  readonly effect?: string
  readonly by?: Author
  /** What an install does about it, where that is not to set what is wanted: `make the pod anew`. */
  readonly install?: string
}

/** The difference of a resource that is not there at all. */
export function missing(what: string, wanted: unknown, severity: Severity = 'breaks scaling'): Difference {
  return { path: '', wanted, live: undefined, reason: `${what} does not exist`, severity }
}
