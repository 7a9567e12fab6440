import { parsePolicy, type PolicyDocument, type Statement } from './document.js'
import { type Grants, grantsOf } from './grants.js'

/** What is different in one statement. */
export interface StatementDifference {
  /** Sid, or the statement's place when it has none: `statement 2`. */
  readonly statement: string
  readonly change: 'added' | 'removed' | 'changed'
  /** What the live document lets be done, compared with the wanted one: less, more, or some of both. */
  readonly grants: Grants
  /** What only the wanted statement says, one line a value: `Action: ec2:RunInstances`. */
  readonly wanted: readonly string[]
  /** What only the live one says. */
  readonly live: readonly string[]
}

/** What `live` says differently from `wanted`, statement by statement; `added` is what only the live one has. */
export function policyDifferences(wanted: unknown, live: unknown): readonly StatementDifference[] {
  const documents = [parsePolicy(wanted), parsePolicy(live)] as const
  const differences = paired(...documents).flatMap(([name, want, have]): readonly StatementDifference[] => {
    const own = { wanted: linesOf(want, have), live: linesOf(have, want) }
    if (own.wanted.length === 0 && own.live.length === 0) return []
    const change = want === undefined ? 'added' : have === undefined ? 'removed' : 'changed'
    return [{ statement: name, change, grants: grantsOf(want, have), ...own }]
  })
  const [before, after] = [[documents[0].version], [documents[1].version]]
  return before[0] === after[0]
    ? differences
    : [
        ...differences,
        {
          statement: 'Version',
          change: 'changed',
          grants: { less: false, more: false },
          wanted: before,
          live: after
        }
      ]
}

/** Statements by name: the wanted one and the live one. */
function paired(
  wanted: PolicyDocument,
  live: PolicyDocument
): readonly (readonly [string, Statement | undefined, Statement | undefined])[] {
  const [want, have] = [named(wanted), named(live)]
  const alone = (
    of: ReadonlyMap<string, Statement>,
    others: ReadonlyMap<string, Statement>
  ): readonly string[] =>
    [...of].filter(([name, { sid }]) => sid === undefined && !others.has(name)).map(([name]) => name)
  const [lost, gained] = [alone(want, have), alone(have, want)]
  const [before, after] = [lost[0], gained[0]]
  if (lost.length === 1 && gained.length === 1 && before !== undefined && after !== undefined) {
    // The only one without a Sid that has no partner, on either side: the same statement, changed.
    const statement = have.get(after)
    have.delete(after)
    if (statement !== undefined) have.set(before, statement)
  }
  return [...new Set([...want.keys(), ...have.keys()])].map((name) => [name, want.get(name), have.get(name)])
}

/** By Sid; statements without one, or with one that is taken, by what they say, so that order does not matter. */
function named(policy: PolicyDocument): Map<string, Statement> {
  const statements = new Map<string, Statement>()
  const rest: Statement[] = []
  for (const statement of policy.statements) {
    if (statement.sid !== undefined && !statements.has(statement.sid))
      statements.set(statement.sid, statement)
    else rest.push(statement)
  }
  for (const statement of rest) {
    let name = `${statement.effect} ${Object.values(statement.elements).flat().join(' ')}`.slice(0, 80)
    while (statements.has(name)) name += "'"
    statements.set(name, statement)
  }
  return statements
}

/** What the one statement says and the other does not. */
function linesOf(statement: Statement | undefined, other: Statement | undefined): string[] {
  if (statement === undefined) return []
  const spelled = (value: string): string => statement.spelling.get(value) ?? value
  const lines = statement.effect === other?.effect ? [] : [`Effect: ${statement.effect}`]
  for (const part of ['elements', 'conditions'] as const) {
    for (const name of Object.keys(statement[part]).toSorted()) {
      const [values = [], others] = [statement[part][name], other?.[part][name]]
      const label = part === 'elements' ? name : `Condition ${spelled(name)}`
      for (const value of values) if (!others?.includes(value)) lines.push(`${label}: ${spelled(value)}`)
      // An element that is there with no values is still another policy.
      if (values.length === 0 && others === undefined) lines.push(`${label}: nothing`)
    }
  }
  return lines
}
