import type { Kubernetes } from './client.js'
import type { Kind } from './kinds.js'
import { field, listField, textField } from './manifest.js'
import { View, type Decision } from './view.js'

/** One entry of `status.conditions`. */
export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  /** RFC 3339; empty when the server gave none. */
  readonly lastTransitionTime: string
  /** The generation it speaks of; undefined when its controller does not say. */
  readonly observedGeneration: number | undefined
}

export function conditionsOf(object: unknown): readonly Condition[] {
  return listField(object, 'status', 'conditions').flatMap((raw) => conditionIn(raw) ?? [])
}

/** The first of a type. Of thousands of objects no other is made. */
export function conditionOf(object: unknown, type: string): Condition | undefined {
  for (const raw of listField(object, 'status', 'conditions')) {
    const condition = field(raw, 'type') === type ? conditionIn(raw) : undefined
    if (condition !== undefined) return condition
  }
  return undefined
}

function conditionIn(raw: unknown): Condition | undefined {
  const type = textField(raw, 'type')
  const status = textField(raw, 'status')
  if (type === undefined || status === undefined) return undefined
  const generation = field(raw, 'observedGeneration')
  return {
    type,
    status,
    reason: textField(raw, 'reason') ?? '',
    message: textField(raw, 'message') ?? '',
    lastTransitionTime: textField(raw, 'lastTransitionTime') ?? '',
    observedGeneration: typeof generation === 'number' ? generation : undefined
  }
}

/** True when the condition holds for the object as it is now, not for an earlier generation of it. */
export function holds(object: unknown, type: string): boolean {
  const condition = conditionOf(object, type)
  return condition?.status === 'True' && !isStale(object, condition)
}

function isStale(object: unknown, condition: Condition): boolean {
  const generation = field(object, 'metadata', 'generation')
  return (
    condition.observedGeneration !== undefined &&
    typeof generation === 'number' &&
    condition.observedGeneration < generation
  )
}

/** Conditions that are False and speak of the object as it is now, causes before the roll-up `Ready`. */
export function failing(object: unknown): readonly Condition[] {
  return conditionsOf(object)
    .filter((condition) => condition.status === 'False' && !isStale(object, condition))
    .sort((a, b) => Number(a.type === 'Ready') - Number(b.type === 'Ready'))
}

/** `SubnetsReady=False (SubnetsNotFound): no subnets matched`. */
export function describe(condition: Condition): string {
  const reason =
    condition.reason === '' || condition.reason === condition.type ? '' : ` (${condition.reason})`
  const message = condition.message === '' ? '' : `: ${condition.message}`
  return `${condition.type}=${condition.status}${reason}${message}`
}

/**
 * Waits through a watch until `decide` comes to an answer about one object, undefined while it does not exist. `decide`
 * may throw.
 */
export async function awaitObject<T, R>(
  kubernetes: Kubernetes,
  kind: Kind<T>,
  at: { readonly name: string; readonly namespace?: string | undefined },
  signal: AbortSignal,
  decide: (object: T | undefined) => Decision<R>
): Promise<R> {
  const view = new View(kubernetes, signal)
  try {
    const followed = await view.follow(kind, {
      namespace: at.namespace,
      fieldSelector: `metadata.name=${at.name}`
    })
    return await view.until(() => decide(followed.objects[0]))
  } finally {
    await view.close()
  }
}
