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
  /** `Action: + ec2:RunInstances`, one line a value; + is what only the live one has. */
  readonly details: readonly string[]
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
    const details = statementDetails(want, have)
    if (details.length === 0) return []
    const change = want === undefined ? 'added' : have === undefined ? 'removed' : 'changed'
    return [{ statement: name, change, grants: grantsOf(want, have), details }]
  })
  const [before, after] = documents.map(({ version }) => version)
  if (before === after) return differences
  const details = [`- ${before ?? ''}`, `+ ${after ?? ''}`]
  return [...differences, { statement: 'Version', change: 'changed', grants: nothing, details }]
}

const nothing: Grants = { less: false, more: false }

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

const empty: Statement = { sid: undefined, effect: '', elements: {}, conditions: {}, spelling: new Map() }

function statementDetails(wanted: Statement = empty, live: Statement = empty): string[] {
  const details: string[] = []
  const spelled = (value: string): string => live.spelling.get(value) ?? wanted.spelling.get(value) ?? value
  if (wanted.effect !== live.effect) {
    if (wanted !== empty) details.push(`Effect: - ${wanted.effect}`)
    if (live !== empty) details.push(`Effect: + ${live.effect}`)
  }
  for (const part of ['elements', 'conditions'] as const) {
    for (const name of sorted([...Object.keys(wanted[part]), ...Object.keys(live[part])])) {
      const [before, after] = [wanted[part][name], live[part][name]]
      const label = part === 'elements' ? name : `Condition ${spelled(name)}`
      for (const value of before ?? [])
        if (!after?.includes(value)) details.push(`${label}: - ${spelled(value)}`)
      for (const value of after ?? [])
        if (!before?.includes(value)) details.push(`${label}: + ${spelled(value)}`)
      // An element that is there with no values is still another policy.
      if ((before === undefined) !== (after === undefined) && (before ?? after ?? []).length === 0) {
        details.push(`${label}: ${before === undefined ? '+' : '-'}`)
      }
    }
  }
  return details
}
