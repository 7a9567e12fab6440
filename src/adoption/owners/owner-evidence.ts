import type { Owner } from '../../engine/owner.js'

export type { Owner } from '../../engine/owner.js'

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

/** Of several things that are one: somebody else's as soon as one of them is. */
export function ownerOfAll(owners: readonly Owner[]): Owner {
  const others = owners.filter((owner) => owner.kind === 'other')
  const [first] = others
  if (first === undefined)
    return owners.find(({ kind }) => kind === 'unmarked') ?? owners[0] ?? { kind: 'ours' }
  return { ...first, evidence: [...new Set(others.flatMap(({ evidence }) => evidence))] }
}

/** One line for a report: `CloudFormation stack x (tag aws:cloudformation:stack-name=x)`. */
export function ownerText(owner: Owner): string {
  if (owner.kind === 'ours') return 'setup-karpenter'
  const evidence = owner.evidence.length === 0 ? '' : ` (${owner.evidence.join('; ')})`
  return owner.kind === 'other' ? `${owner.who}${evidence}` : `nobody's mark on it${evidence}`
}

/** Why a removal leaves it: `NodePool default is kept by kubectl datadog`. */
export function leftTo(title: string, owner: Owner): string {
  return owner.kind === 'other' ? `${title} is kept by ${owner.who}` : `${title} was there before`
}
