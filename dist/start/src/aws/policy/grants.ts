import type { Statement } from './document.js'
import { matches } from '../wildcards.js'

export interface Grants {
  readonly less: boolean
  readonly more: boolean
}

const opposite = ({ less, more }: Grants): Grants => ({ less: more, more: less })
const sum = (all: readonly Grants[]): Grants => ({
  less: all.some(({ less }) => less),
  more: all.some(({ more }) => more)
})

/**
 * What the live statement lets be done, compared with the wanted one: an allowance that covers more, or a denial that
 * covers less, lets more be done. Either side may be missing.
 */
export function grantsOf(wanted: Statement | undefined, live: Statement | undefined): Grants {
  if (wanted === undefined) return allows(live) ? { less: false, more: true } : { less: true, more: false }
  if (live === undefined) return allows(wanted) ? { less: true, more: false } : { less: false, more: true }
  if (allows(wanted) !== allows(live))
    return allows(live) ? { less: false, more: true } : { less: true, more: false }
  const reach = sum([...elementsReach(wanted, live), ...conditionsReach(wanted, live)])
  return allows(wanted) ? reach : opposite(reach)
}

function allows(statement: Statement | undefined): boolean {
  return statement?.effect === 'Allow'
}

function elementsReach(wanted: Statement, live: Statement): readonly Grants[] {
  return keysOf(wanted.elements, live.elements).map((name) => {
    const [before, after] = [wanted.elements[name], live.elements[name]]
    // Action on one side, NotAction on the other.
    if (before === undefined || after === undefined) return { less: true, more: true }
    const reach = valuesReach(before, after, true)
    return name.startsWith('Not') ? opposite(reach) : reach
  })
}

/** A condition more covers less; a value more in one covers more, unless the operator is a negation. */
function conditionsReach(wanted: Statement, live: Statement): readonly Grants[] {
  return keysOf(wanted.conditions, live.conditions).map((name) => {
    const [before, after] = [wanted.conditions[name], live.conditions[name]]
    if (before === undefined) return { less: true, more: false }
    if (after === undefined) return { less: false, more: true }
    const [operator = ''] = name.split(' ')
    const reach = valuesReach(before, after, /like|arn/.test(operator))
    return operator.includes('not') ? opposite(reach) : reach
  })
}

function valuesReach(before: readonly string[], after: readonly string[], wildcards: boolean): Grants {
  const covered = (value: string, by: readonly string[]): boolean =>
    by.some((pattern) => pattern === value || (wildcards && matches(pattern, value)))
  return {
    less: before.some((value) => !covered(value, after)),
    more: after.some((value) => !covered(value, before))
  }
}

function keysOf(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>
): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
}
