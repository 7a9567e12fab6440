import { canonical, isMap, type JsonMap } from '../../engine/json.js'
import { matchesAction } from '../wildcards.js'
import { statementsOf, textsOf } from './statements.js'

/**
 * What one policy document allows and another does not, as statements that can be added to the other: only the actions
 * and resources that it lacks. Sids are unique beside the other's. The same again when they are in it already.
 */
export function lostStatements(of: JsonMap, by: JsonMap): readonly JsonMap[] {
  const others = statementsOf(by)
  const taken = new Set(others.map((statement) => statement['Sid']))
  return statementsOf(of).flatMap((statement) =>
    lostOf(statement, others).map((lost) => {
      const Sid = freeSid(statement['Sid'], taken)
      taken.add(Sid)
      return { ...(Sid !== undefined && { Sid }), ...lost }
    })
  )
}

function lostOf(statement: JsonMap, others: readonly JsonMap[]): readonly JsonMap[] {
  const rest = withoutSid(statement)
  // Without a denial more is allowed, not less.
  if (statement['Effect'] !== 'Allow') return []
  if (!('Action' in statement) || !('Resource' in statement)) {
    return others.some((other) => canonical(withoutSid(other)) === canonical(rest)) ? [] : [rest]
  }
  const comparable = others.filter((other) => other['Effect'] === 'Allow' && holdsWherever(other, statement))
  const resources = textsOf(statement['Resource'])
  const byResources = new Map<string, { actions: string[]; resources: readonly string[] }>()
  for (const action of textsOf(statement['Action'])) {
    const lost = resources.filter(
      (resource) =>
        !comparable.some((other) => allows(other, 'Action', action) && allows(other, 'Resource', resource))
    )
    if (lost.length === 0) continue
    const key = JSON.stringify(lost)
    const group = byResources.get(key)
    if (group === undefined) byResources.set(key, { actions: [action], resources: lost })
    else group.actions.push(action)
  }
  return [...byResources.values()].map((group) => ({
    ...rest,
    Action: short(group.actions),
    Resource: short(group.resources)
  }))
}

/** Whether nothing that the statement's condition lets through is held back by the other's. */
function holdsWherever(other: JsonMap, statement: JsonMap): boolean {
  const own = conditionsOf(statement)
  return [...conditionsOf(other)].every(([name, { operator, values }]) => {
    const narrower = own.get(name)?.values
    if (narrower === undefined) return false
    const included = narrower.every((value) => values.includes(value))
    return included && (narrower.length === values.length || /^(String|Arn)(Equals|Like)$/.test(operator))
  })
}

function conditionsOf({
  Condition: condition
}: JsonMap): ReadonlyMap<string, { readonly operator: string; readonly values: readonly string[] }> {
  return new Map(
    Object.entries(isMap(condition) ? condition : {}).flatMap(([operator, keys]) =>
      Object.entries(isMap(keys) ? keys : {}).map(
        ([key, values]) => [`${operator} ${key}`, { operator, values: textsOf(values) }] as const
      )
    )
  )
}

function allows(statement: JsonMap, element: 'Action' | 'Resource', value: string): boolean {
  return textsOf(statement[element]).some(
    (pattern) => pattern === value || (element === 'Action' ? matchesAction(pattern, value) : pattern === '*')
  )
}

function withoutSid(statement: JsonMap): JsonMap {
  return Object.fromEntries(Object.entries(statement).filter(([name]) => name !== 'Sid'))
}

/** With a word behind it where another statement has it: an IAM policy takes a Sid once. */
function freeSid(sid: unknown, taken: ReadonlySet<unknown>): unknown {
  if (typeof sid !== 'string' || !taken.has(sid)) return sid
  for (let number = 1; ; number++) {
    const free = `${sid}Before${number === 1 ? '' : number}`
    if (!taken.has(free)) return free
  }
}

/** IAM counts every character of a policy. */
function short(values: readonly string[]): string | readonly string[] {
  return values.length === 1 ? (values[0] ?? '') : values
}
