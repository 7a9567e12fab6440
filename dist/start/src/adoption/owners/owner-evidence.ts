import { ourName, type Owner } from '../../engine/owner.js'

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

/** One line for a report: `CloudFormation stack x (tag aws:cloudformation:stack-name=x)`. */
export function ownerText(owner: Owner): string {
  if (owner.kind === 'ours') return ourName
  const evidence = owner.evidence.length === 0 ? '' : ` (${owner.evidence.join('; ')})`
  return owner.kind === 'other' ? `${owner.who}${evidence}` : `nobody's mark on it${evidence}`
}
