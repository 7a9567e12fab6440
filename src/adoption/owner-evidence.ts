/** Whose a thing is, as far as can be seen on it. */
export type Owner =
  /** Made by this action for this cluster. */
  | { readonly kind: 'ours' }
  /** Another tool keeps it and may put it back or take it away. */
  | {
      readonly kind: 'other'
      /** For a person: `eksctl, CloudFormation stack eksctl-blue-karpenter`. */
      readonly who: string
      /** What says so, one line each: `tag alpha.eksctl.io/cluster-name=blue`. */
      readonly evidence: readonly string[]
    }
  /** Nothing says who keeps it: made by hand, or by a program that leaves no mark. */
  | {
      readonly kind: 'unmarked'
      /** Traces that name no keeper: `annotation kubectl.kubernetes.io/last-applied-configuration`. */
      readonly evidence: readonly string[]
    }

/** A tool that a thing is marked by. */
export interface Mark {
  /** Earlier ones name the owner: who keeps it before what it is kept in. */
  readonly rank: number
  readonly who: string
  readonly evidence: string
}

/** The owner that the marks come to: of several tools the first, and with it the stack or release that it made. */
export function ownerOfMarks(marks: readonly Mark[], traces: readonly string[] = []): Owner {
  const ranked = marks.toSorted((a, b) => a.rank - b.rank)
  const [first] = ranked
  if (first === undefined) return { kind: 'unmarked', evidence: traces }
  const within = ranked.find(({ rank, who }) => rank === containerRank && who !== first.who)
  return {
    kind: 'other',
    who: within === undefined ? first.who : `${first.who}, ${within.who}`,
    evidence: [...new Set(ranked.map(({ evidence }) => evidence))]
  }
}

/** Of a stack or a release, in which other tools keep their things. */
export const containerRank = 100

/** One line for a report: `CloudFormation stack x (tag aws:cloudformation:stack-name=x)`. */
export function ownerText(owner: Owner): string {
  if (owner.kind === 'ours') return 'setup-karpenter'
  const evidence = owner.evidence.length === 0 ? '' : ` (${owner.evidence.join('; ')})`
  return owner.kind === 'other' ? `${owner.who}${evidence}` : `nobody's mark on it${evidence}`
}
