import { canonical, isMap, type JsonMap } from '../engine/json.js'
import { grantsOf } from './policy-grants.js'

/** One statement, every element in one form: lists where IAM allows a string or a list, sorted and without repeats. */
export interface Statement {
  readonly sid: string | undefined
  readonly effect: string
  /** Element name to values: Principal is flattened to `AWS=...`, `Federated=...`, `*`. */
  readonly elements: Readonly<Record<string, readonly string[]>>
  /** Operator and key to values: `stringequals aws:requestedregion`. */
  readonly conditions: Readonly<Record<string, readonly string[]>>
  /** What was compared without regard to case, as the document writes it. */
  readonly spelling: ReadonlyMap<string, string>
}

export interface PolicyDocument {
  readonly version: string
  readonly statements: readonly Statement[]
}

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

export interface Grants {
  readonly less: boolean
  readonly more: boolean
}

/**
 * Reads a policy document: JSON, JSON in URL encoding (as IAM answers), or the object itself. Throws SyntaxError for what
 * is no policy.
 */
export function parsePolicy(document: unknown): PolicyDocument {
  const value = typeof document === 'string' ? parseText(document) : document
  if (!isMap(value)) throw new SyntaxError('a policy document must be a JSON object')
  const statements = Array.isArray(value['Statement']) ? value['Statement'] : [value['Statement']]
  return {
    version: typeof value['Version'] === 'string' ? value['Version'] : '2008-10-17',
    statements: statements.map((statement: unknown) => {
      if (!isMap(statement)) throw new SyntaxError('a policy statement must be a JSON object')
      return statementOf(statement)
    })
  }
}

function parseText(text: string): unknown {
  const trimmed = text.trim()
  return JSON.parse(trimmed.startsWith('{') ? trimmed : decodeURIComponent(trimmed))
}

function statementOf(statement: JsonMap): Statement {
  const spelling = new Map<string, string>()
  const elements: Record<string, readonly string[]> = {}
  for (const name of ['Action', 'NotAction']) {
    // IAM compares actions without regard to case.
    if (!(name in statement)) continue
    const actions = listOf(statement[name])
    for (const action of actions) spelling.set(action.toLowerCase(), action)
    elements[name] = sorted(actions.map((action) => action.toLowerCase()))
  }
  for (const name of ['Resource', 'NotResource']) {
    if (name in statement) elements[name] = sorted(listOf(statement[name]))
  }
  for (const name of ['Principal', 'NotPrincipal']) {
    if (name in statement) elements[name] = sorted(principalsOf(statement[name]))
  }
  const sid = statement['Sid']
  return {
    sid: typeof sid === 'string' && sid !== '' ? sid : undefined,
    effect: typeof statement['Effect'] === 'string' ? statement['Effect'] : '',
    elements,
    conditions: conditionsOf(statement['Condition'], spelling),
    spelling
  }
}

function listOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map(String)
}

function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].toSorted()
}

/** `"*"` and `{"AWS": "*"}` are the same to IAM, and so are an account's id and its root ARN. */
function principalsOf(principal: unknown): string[] {
  if (!isMap(principal)) return listOf(principal).map((value) => (value === '*' ? 'AWS=*' : value))
  return Object.entries(principal).flatMap(([kind, values]) =>
    listOf(values).map((value) => {
      const account = kind === 'AWS' ? /^arn:[\w-]+:iam::(\d{12}):root$/.exec(value)?.[1] : undefined
      return `${kind}=${account ?? value}`
    })
  )
}

/** Operators and condition keys are compared without regard to case; values keep theirs. */
function conditionsOf(condition: unknown, spelling: Map<string, string>): Record<string, readonly string[]> {
  const conditions: Record<string, readonly string[]> = {}
  if (!isMap(condition)) return conditions
  for (const [operator, keys] of Object.entries(condition)) {
    if (!isMap(keys)) continue
    for (const [key, values] of Object.entries(keys)) {
      const name = `${operator.toLowerCase()} ${conditionKey(key)}`
      spelling.set(name, `${operator} ${key}`)
      conditions[name] = sorted(listOf(values))
    }
  }
  return conditions
}

/** The part behind a slash is a tag's name, whose case counts: aws:ResourceTag/Name. */
function conditionKey(key: string): string {
  const slash = key.indexOf('/')
  // Issuers of OIDC providers have slashes as well, and a path whose case counts; both sides are written the same way.
  return slash < 0 ? key.toLowerCase() : key.slice(0, slash).toLowerCase() + key.slice(slash)
}

/** Whether two documents allow and deny the same, by what they say: order, key order and one-element lists aside. */
export function samePolicy(a: unknown, b: unknown): boolean {
  return canonicalPolicy(a) === canonicalPolicy(b)
}

/** One text for all documents that are the same. */
export function canonicalPolicy(document: unknown): string {
  const policy = parsePolicy(document)
  return canonical({
    version: policy.version,
    statements: policy.statements
      .map(({ sid, effect, elements, conditions }) => canonical({ sid, effect, elements, conditions }))
      .toSorted()
  })
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
