import type { Difference } from './difference.js'
import type { UserError } from './errors.js'
import { type Health, type Look, well } from './health.js'
import type { Owner } from './owner.js'
import { type Unreadable, unreadableError } from './unreadable.js'

/** What is there, where that could be read. */
export type Known<L> = { readonly state: 'present'; readonly value: L } | { readonly state: 'absent' }

/** What a read found. Access denied is `unreadable`, never `absent`. */
export type Live<L> = Known<L> | ({ readonly state: 'unreadable' } & Unreadable)

/** Where a resource lives; reports are grouped by it. */
export type Layer = 'network' | 'iam' | 'cloudformation' | 'eks' | 'kubernetes' | 'helm' | 'karpenter'

/** What applying or removing a resource may use besides its own clients. */
export interface Step {
  /** One line a change, past tense: `tagged subnet-0ab1 karpenter.sh/discovery=blue`. */
  changed(line: string): void
  /** A line that is worth reading and changed nothing. */
  note(line: string): void
  /** Something a person should look at; becomes an annotation. */
  warning(line: string): void
  /** What a long wait waits for now; shown every 10 s until the next call; undefined when the wait is over. */
  waiting(what: string | undefined): void
  /** Aborted on cancel and when the run's time is up. */
  readonly signal: AbortSignal
  /** Milliseconds since the epoch by AWS's clock, which what the account and the cluster say of times goes by. */
  now(): number
  /** Resolves after so many milliseconds, rejects when the signal is aborted: the pace of polls that AWS leaves us. */
  pause(milliseconds: number): Promise<void>
}

/** Outcome of a removal, for the listing at the end. */
export type Removal =
  /** `spared`: names of parts that were left, because they were there before us. */
  | { readonly outcome: 'removed'; readonly spared?: readonly string[] }
  | { readonly outcome: 'absent' }
  /** `inUse`: it goes on working, so what it depends on is kept as well. */
  | { readonly outcome: 'kept'; readonly reason: string; readonly inUse?: true }

/**
 * One thing that an installation consists of. `W` is the wanted state: plain JSON, known before the first write, and what
 * the record keeps. `L` is the live state as `read` returns it.
 */
export interface Resource<W, L> {
  /** Unique and stable: `subnet-tags`, `stack`, `node-pool/default`. */
  readonly id: string
  readonly layer: Layer
  /** For a person: `NodePool default`, `CloudFormation stack Karpenter-blue`. */
  readonly title: string
  /** Ids of resources that must be applied before this one (and removed after it). Ids that are not in the model are an error. */
  readonly dependsOn: readonly string[]
  readonly wanted: W
  read(signal: AbortSignal): Promise<Live<L>>
  /** Pure. Also called with the recorded wanted state instead of today's. Empty: as wanted. */
  compare(wanted: W, live: L): readonly Difference[]
  /** The difference when nothing is there; most often `[missing(...)]`. */
  absent(wanted: W): readonly Difference[]
  /** Pure. Why `apply` will not touch what is there, so that an install can end before its first write. */
  refusal?(live: L): UserError | undefined
  /**
   * Makes the live state as wanted and reads it back where AWS is eventually consistent. Called only with differences, and
   * never for what could not be read.
   */
  apply(live: Known<L>, differences: readonly Difference[], step: Step): Promise<void>
  /**
   * Waits until the resource, applied or found as wanted, does its work (a rollout, a Ready condition). Called on every
   * install, so it must cost at most one read when all is well.
   */
  settle?(step: Step): Promise<void>
  /** Whether what is there does its work. Asked by a check alone; one read more at most while all is well. */
  health?(live: L, look: Look): Promise<Health>
  /** Takes away what we made, and what was adopted when that is asked for; nothing else. */
  remove(step: Step): Promise<Removal>
  /** Pure. What somebody else put there and is left: worth a line on every run, and no difference. */
  notes?(live: L): readonly string[]
  /** Pure. Whose it is, where that can be seen on it. */
  owner?(live: L): Owner
  /** Names of what is still there of it, for the proof after a removal; the title alone where this is not given. */
  left?(live: L): readonly string[]
}

/** A resource whose types are its own affair: what graph, walk and report work with. */
export interface AnyResource {
  readonly id: string
  readonly layer: Layer
  readonly title: string
  readonly dependsOn: readonly string[]
  readonly wanted: unknown
  /** Reads, compares, and hands back what to do about it. */
  inspect(signal: AbortSignal): Promise<Inspection>
  remove(step: Step): Promise<Removal>
}

export interface Inspection {
  readonly resource: AnyResource
  readonly state: 'as wanted' | 'differs' | 'absent' | 'unreadable'
  readonly differences: readonly Difference[]
  /** Names of what is there of it; empty when nothing is. */
  readonly left: readonly string[]
  /** What is worth a line and is no difference. */
  readonly notes?: readonly string[]
  /** Set when it is there, and whose it is can be seen. */
  readonly owner?: Owner
  /** Set when unreadable. */
  readonly unreadable?: Unreadable
  /** Set when what is there must not be touched. */
  readonly refusal?: UserError
  /** The same comparison against another wanted state, for instance the recorded one. */
  against(wanted: unknown): readonly Difference[]
  /** Rejects with UserError, nothing written, when it is unreadable. */
  apply(step: Step): Promise<void>
  settle(step: Step): Promise<void>
  /** Well too where nothing is there: that is a difference. */
  health(look: Look): Promise<Health>
}

/** Hides a resource's own types behind the walk's interface, so that a list of resources needs no casts. */
export function resource<W, L>(own: Resource<W, L>, isWanted: (value: unknown) => value is W): AnyResource {
  const self: AnyResource = {
    id: own.id,
    layer: own.layer,
    title: own.title,
    dependsOn: own.dependsOn,
    wanted: own.wanted,
    remove: async (step) => own.remove(step),
    inspect: async (signal) => {
      const live = await own.read(signal)
      const differencesFrom = (wanted: W): readonly Difference[] =>
        live.state === 'present'
          ? own.compare(wanted, live.value)
          : live.state === 'absent'
            ? own.absent(wanted)
            : []
      const differences = differencesFrom(own.wanted)
      const refusal = live.state === 'present' ? own.refusal?.(live.value) : undefined
      const owner = live.state === 'present' ? own.owner?.(live.value) : undefined
      return {
        resource: self,
        state:
          live.state === 'unreadable'
            ? 'unreadable'
            : live.state === 'absent' && differences.length > 0
              ? 'absent'
              : differences.length > 0
                ? 'differs'
                : 'as wanted',
        differences,
        left: live.state === 'present' ? (own.left?.(live.value) ?? [own.title]) : [],
        ...(live.state === 'present' && own.notes !== undefined && { notes: own.notes(live.value) }),
        ...(owner !== undefined && { owner }),
        ...(live.state === 'unreadable' && {
          unreadable: {
            reason: live.reason,
            ...(live.missingPermission !== undefined && { missingPermission: live.missingPermission })
          }
        }),
        ...(refusal !== undefined && { refusal }),
        against: (wanted) => (isWanted(wanted) ? differencesFrom(wanted) : []),
        apply: async (step) => {
          if (live.state === 'unreadable') throw unreadableError(own.title, live, 'It was left as it is.')
          await own.apply(live, differences, step)
        },
        settle: async (step) => own.settle?.(step),
        health: async (look) =>
          live.state === 'present' && own.health !== undefined ? own.health(live.value, look) : well
      }
    }
  }
  return self
}
