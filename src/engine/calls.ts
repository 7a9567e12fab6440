import { AsyncLocalStorage } from 'node:async_hooks'

/** A call, or a wait for something that was not ready, on the chain that a run could not be quicker than. */
export interface PathStep {
  readonly kind: 'call' | 'wait'
  /** `iam GetRole`, `GET /api/v1/nodes`, `helm upgrade`; of a wait what was waited for. */
  readonly name: string
  /** Stage or id of the resource that it was made for. */
  readonly unit: string
  /** How many calls of the same name on end. */
  readonly times: number
  /** Milliseconds since the trace began. */
  readonly from: number
  readonly to: number
  /** Milliseconds of the calls alone: less than from `from` to `to` where there were pauses between them. */
  readonly took: number
}

/** The longest chain of calls each of which needed the one before, and what the run took beside it. All milliseconds. */
export interface CallPath {
  readonly steps: readonly PathStep[]
  readonly took: number
  /** From beginning to end of the run. */
  readonly total: number
  /** Where nothing of the chain was under way, in order of time; they and the chain come to the total. */
  readonly gaps: readonly Gap[]
}

export interface Gap {
  readonly from: number
  readonly to: number
  /** Whose time it was: that of the call it led to, or, at the end, of the last one. */
  readonly unit: string
  /** What it led to; undefined at the end of the run, and within calls of one name. */
  readonly before: string | undefined
}

/** A link of a chain that ends with it; whatever is on no chain any more is forgotten, so that no listing grows. */
interface Link extends PathStep {
  readonly previous: Link | undefined
  /** Milliseconds of the whole chain: never more than what has gone by. */
  readonly chain: number
  readonly length: number
}

/** Work that goes on one call after another. */
interface Lane {
  readonly trace: Trace
  readonly unit: string
  /** End of the longest chain that the next call needs. */
  tip: Link | undefined
  wait: { readonly name: string; readonly from: number; readonly needs: Link | undefined } | undefined
}

/** Where work has come to; what begins there needs all that led to it. */
export interface Point {
  readonly tip: Link | undefined
}

/** A chain of a run is about a hundred links; one that is longer is told in less detail. */
const longestChain = 1_000
/** Milliseconds: what was not ready at its first look alone was not waited for. */
const shortestWait = 1

const lanes = new AsyncLocalStorage<Lane>()
const begunIn = new WeakMap<Promise<unknown>, Lane>()

/** The calls of one run, by a clock that nobody sets. */
export class Trace {
  readonly #now: () => number
  readonly #began: number
  #last: Link | undefined

  constructor(now: () => number) {
    this.#now = now
    this.#began = now()
  }

  /** Calls and waits of the work are the trace's, whatever asynchronous way they go. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    return lanes.run({ trace: this, unit: '', tip: undefined, wait: undefined }, work)
  }

  now(): number {
    return this.#now() - this.#began
  }

  ended(link: Link): void {
    this.#last = later(this.#last, link)
  }

  path(): CallPath {
    const steps: Link[] = []
    for (let link = this.#last; link !== undefined; link = link.previous) steps.unshift(link)
    const total = this.now()
    const gaps: Gap[] = []
    let at = 0
    for (const { name, unit, from, to, took } of steps) {
      if (from > at) gaps.push({ from: at, to: from, unit, before: name })
      if (to - from > took) gaps.push({ from: from + took, to, unit, before: undefined })
      at = to
    }
    if (total > at) gaps.push({ from: at, to: total, unit: steps.at(-1)?.unit ?? '', before: undefined })
    return { steps, took: this.#last?.chain ?? 0, total, gaps }
  }
}

/** Where the caller has come to. */
export function here(): Point {
  return { tip: lanes.getStore()?.tip }
}

/**
 * Begins work that needs what led to `needs`, the caller's own way when left out, and nothing that is done beside it.
 * Whoever goes on from its result takes it by `joined`. `unit`: stage or id of a resource.
 */
export function begun<T>(
  work: () => Promise<T>,
  { needs = here(), unit }: { readonly needs?: Point; readonly unit?: string } = {}
): Promise<T> {
  const caller = lanes.getStore()
  if (caller === undefined) return work()
  const lane: Lane = { trace: caller.trace, unit: unit ?? caller.unit, tip: needs.tip, wait: undefined }
  const promise = lanes.run(lane, work)
  begunIn.set(promise, lane)
  return promise
}

/** The result of work that was begun: what comes after it needs what it needed. */
export async function joined<T>(promise: Promise<T>): Promise<T> {
  const lane = begunIn.get(promise)
  const own = lanes.getStore()
  if (lane === undefined || own === undefined) return promise
  try {
    return await promise
  } finally {
    own.tip = later(own.tip, lane.tip)
  }
}

/** Work of its own, waited for. */
export async function apart<T>(...work: Parameters<typeof begun<T>>): Promise<T> {
  return joined(begun(...work))
}

/** A call begins; what is returned is called when it has been answered. */
function calling(name: string): () => void {
  const lane = lanes.getStore()
  if (lane === undefined) return () => undefined
  const previous = lane.tip
  const from = lane.trace.now()
  return () => {
    add(lane, { kind: 'call', name, from, previous })
  }
}

/** The call of a name. */
export async function called<T>(name: string, call: () => Promise<T>): Promise<T> {
  const answered = calling(name)
  try {
    return await call()
  } finally {
    answered()
  }
}

/**
 * Something was just seen not to be ready. From the first time until the last the run could do nothing; a pause after the
 * last one is our own. `undefined`: it is waited for no longer.
 */
export function notReady(name: string | undefined): void {
  const lane = lanes.getStore()
  if (lane === undefined) return
  if (name === undefined) {
    lane.wait = undefined
    return
  }
  lane.wait ??= { name, from: lane.trace.now(), needs: lane.tip }
  waitedUntilNow(lane)
}

/** Whoever is waited for has just said something: it was worked at until now. */
export function heardOf(): void {
  const lane = lanes.getStore()
  if (lane?.wait !== undefined) waitedUntilNow(lane)
}

function waitedUntilNow(lane: Lane): void {
  if (lane.wait === undefined) return
  const { name, from, needs } = lane.wait
  if (lane.trace.now() - from >= shortestWait) add(lane, { kind: 'wait', name, from, previous: needs })
}

function add(lane: Lane, one: Pick<Link, 'kind' | 'name' | 'from' | 'previous'>): void {
  const to = lane.trace.now()
  const took = to - one.from
  const { previous } = one
  const alone = {
    ...one,
    unit: lane.unit,
    times: 1,
    to,
    took,
    chain: (previous?.chain ?? 0) + took,
    length: (previous?.length ?? 0) + 1
  }
  const link = previous !== undefined && isMore(previous, alone) ? together(previous, alone) : alone
  lane.tip = later(lane.tip, link)
  lane.trace.ended(link)
}

function isMore(previous: Link, { kind, name, unit, length }: Link): boolean {
  return length > longestChain || (previous.kind === kind && previous.name === name && previous.unit === unit)
}

function together(previous: Link, next: Link): Link {
  return {
    ...next,
    name: previous.name === next.name ? next.name : 'further calls',
    times: previous.times + 1,
    from: previous.from,
    took: previous.took + next.took,
    previous: previous.previous,
    length: previous.length
  }
}

function later(a: Link | undefined, b: Link | undefined): Link | undefined {
  return (b?.chain ?? -1) > (a?.chain ?? -1) ? b : a
}
