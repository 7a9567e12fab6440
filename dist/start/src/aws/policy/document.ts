import { canonical, isMap, type JsonMap } from '../../engine/json.js'
import { policyValue, textsOf } from './statements.js'

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

/**
 * Reads a policy document: JSON, JSON in URL encoding (as IAM answers), or the object itself. Throws SyntaxError for what
 * is no policy.
 */
export function parsePolicy(document: unknown): PolicyDocument {
  const value = policyValue(document)
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

function statementOf(statement: JsonMap): Statement {
  const spelling = new Map<string, string>()
  const elements: Record<string, readonly string[]> = {}
  for (const name of ['Action', 'NotAction']) {
    // IAM compares actions without regard to case.
    if (!(name in statement)) continue
    const actions = textsOf(statement[name])
    for (const action of actions) spelling.set(action.toLowerCase(), action)
    elements[name] = sorted(actions.map((action) => action.toLowerCase()))
  }
  for (const name of ['Resource', 'NotResource']) {
    if (name in statement) elements[name] = sorted(textsOf(statement[name]))
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

function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].toSorted()
}

/** `"*"` and `{"AWS": "*"}` are the same to IAM, and so are an account's id and its root ARN. */
function principalsOf(principal: unknown): readonly string[] {
  if (!isMap(principal)) return textsOf(principal).map((value) => (value === '*' ? 'AWS=*' : value))
  return Object.entries(principal).flatMap(([kind, values]) =>
    textsOf(values).map((value) => {
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
      conditions[name] = sorted(textsOf(values))
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
