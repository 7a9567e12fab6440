import { subsetDifferences } from '../../src/engine/compare.js'
import { type Difference, missing } from '../../src/engine/difference.js'
import type { UserError } from '../../src/engine/errors.js'
import type { Health } from '../../src/engine/health.js'
import { isMap, type JsonMap } from '../../src/engine/json.js'
import { type AnyResource, resource, type Live, type Removal, type Step } from '../../src/engine/resource.js'
import type { Sign } from '../../src/engine/standing.js'
import type { Journal, Outcome } from '../../src/engine/walk.js'

/** A resource whose live state is a text in memory. */
export function textResource(
  id: string,
  dependsOn: readonly string[],
  world: Map<string, string>,
  options: {
    readonly apply?: (step: Step) => Promise<void>
    readonly settle?: (step: Step) => Promise<void>
    readonly remove?: (step: Step) => Promise<Removal>
    readonly onceWritten?: readonly string[]
    readonly unreadable?: string
    readonly wanted?: string
    readonly differences?: readonly Difference[]
    readonly sign?: Sign<string>
    readonly works?: true
    readonly present?: (live: string) => readonly string[]
  } = {}
): AnyResource {
  return resource<string, string>(
    {
      id,
      layer: 'kubernetes',
      title: `Text ${id}`,
      dependsOn,
      ...(options.onceWritten !== undefined && { onceWritten: options.onceWritten }),
      wanted: options.wanted ?? `wanted ${id}`,
      read: async (): Promise<Live<string>> => {
        const value = world.get(id)
        if (options.unreadable !== undefined)
          return { state: 'unreadable', reason: options.unreadable, missingPermission: 'get texts' }
        return value === undefined ? { state: 'absent' } : { state: 'present', value }
      },
      compare: (wanted, live) =>
        options.differences ??
        (wanted === live
          ? []
          : [{ path: 'text', wanted, live, reason: 'text differs', severity: 'cosmetic' }]),
      absent: (wanted) => [
        { path: '', wanted, live: undefined, reason: 'not there', severity: 'breaks scaling' }
      ],
      apply: async (_live, _differences, step) => {
        await options.apply?.(step)
        world.set(id, `wanted ${id}`)
        step.changed(`wrote ${id}`)
      },
      sign: options.sign ?? { by: 'mark', mark: () => ({ kind: 'ours' }) },
      ...(options.works !== undefined && { works: options.works }),
      ...(options.present !== undefined && { present: options.present }),
      ...(options.settle !== undefined && { settle: options.settle }),
      remove: async (_live, step) =>
        options.remove?.(step) ?? (world.delete(id) ? { outcome: 'removed' } : { outcome: 'absent' })
    },
    (value): value is string => typeof value === 'string'
  )
}

/** Keeps what a walk says. */
export class MemoryJournal implements Journal {
  readonly order: string[] = []
  readonly outcomes: Outcome[] = []
  readonly notes: string[] = []
  /** What is waited for now, by id. */
  readonly waits = new Map<string, string>()
  readonly #signal: AbortSignal

  constructor(signal: AbortSignal = new AbortController().signal) {
    this.#signal = signal
  }

  step(id: string): { readonly step: Step; readonly changes: () => readonly string[] } {
    const changes: string[] = []
    return {
      changes: () => changes,
      step: {
        changed: (line) => void changes.push(line),
        note: (line) => void this.notes.push(line),
        warning: () => undefined,
        waiting: (what) => {
          if (what === undefined) this.waits.delete(id)
          else this.waits.set(id, what)
        },
        signal: this.#signal,
        now: () => 0,
        pause: async () => undefined
      }
    }
  }

  begin(id: string): void {
    this.order.push(`begin ${id}`)
  }

  end(outcome: Outcome): void {
    this.order.push(`end ${outcome.id}`)
    this.outcomes.push(outcome)
  }
}

/** A resource of fields, each compared by itself. `written`: what each `apply` was to write and to leave. */
export function fieldsResource(
  wanted: Readonly<JsonMap>,
  live: Live<JsonMap>,
  options: {
    readonly leavesFields?: true
    readonly written?: (paths: readonly string[], left: readonly string[]) => void
    readonly refusal?: UserError
    readonly notes?: readonly string[]
    readonly health?: Health
    readonly dependsOn?: readonly string[]
    readonly id?: string
  } = {}
): AnyResource {
  const { leavesFields, written, refusal, notes, health, dependsOn = [], id = 'fields' } = options
  return resource<JsonMap, JsonMap>(
    {
      id,
      layer: 'karpenter',
      title: `Fields ${id}`,
      dependsOn,
      wanted,
      read: async () => live,
      compare: (asked, found) =>
        subsetDifferences(asked, found).map((one) => ({
          ...one,
          reason: `${one.path} is ${String(one.live)}`,
          severity: 'cosmetic'
        })),
      absent: (asked) => (Object.keys(asked).length === 0 ? [] : [missing(`Fields ${id}`, asked)]),
      apply: async (_live, differences, _step, left) =>
        written?.(
          differences.map(({ path }) => path),
          left
        ),
      ...(leavesFields !== undefined && { leavesFields }),
      ...(refusal !== undefined && { refusal: () => refusal }),
      ...(notes !== undefined && { notes: () => notes }),
      ...(health !== undefined && { health: async () => health }),
      sign: { by: 'mark', mark: () => ({ kind: 'ours' }) },
      remove: async () => ({ outcome: 'removed' })
    },
    isMap
  )
}
