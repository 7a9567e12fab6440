import { isDeepStrictEqual } from 'node:util'
import type { Difference } from './difference.js'
import type { UserError } from './errors.js'
import { type Health, type Look, well } from './health.js'
import type { Owner } from './owner.js'
import { type Claim, judge, type Judged, ownerBySign, reasonsText, type Sign } from './standing.js'
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

/** Outcome of a removal. */
export type Removal =
  | { readonly outcome: 'removed' }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'kept'; readonly reason: string }

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
  /** Of those the ones that need only be written before: that they do their work is waited for before this one's is. */
  readonly onceWritten?: readonly string[]
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
   * never for what could not be read. `left`: paths that are to stay as they are; given only where `leavesFields` is set.
   */
  apply(
    live: Known<L>,
    differences: readonly Difference[],
    step: Step,
    left: readonly string[]
  ): Promise<void>
  /** `apply` can leave single fields as they are while it writes others. */
  readonly leavesFields?: true
  /**
   * Waits until the resource, applied or found as wanted, does its work (a rollout, a Ready condition). Called on every
   * install, so it must cost at most one read when all is well.
   */
  settle?(step: Step): Promise<void>
  /** Whether what is there does its work. Asked by a check alone; one read more at most while all is well. */
  health?(live: L, look: Look): Promise<Health>
  /** Pure. What somebody else put there and is left: worth a line on every run, and no difference. */
  notes?(live: L): readonly string[]
  /** What says whose it is: the engine decides by it what a removal takes. */
  readonly sign: Sign<L>
  /** While it stays it goes on working, so what it depends on stays as well. */
  readonly works?: true
  /** Names of what is there of it, as the record has them; the title alone where this is not given. */
  present?(live: L): readonly string[]
  /**
   * Takes `names` away, which are ours to take. Called only with such; `kept`: there is a reason that nobody knew before
   * now, such as others who use it.
   */
  remove(live: L, step: Step, names: readonly string[]): Promise<Removal>
  /** The end of a removal, whatever went: what it left elsewhere, and whether what stays keeps others from going. */
  afterRemoval?(removed: Removed<L>, step: Step): Promise<void>
}

/** What has become of a resource in a removal. */
export interface Removed<L> {
  readonly live: Known<L>
  /** None of it went. */
  readonly kept: boolean
  /** It went, or the record says that it was ours. */
  readonly ours: boolean
}

/** A resource whose types are its own affair: what graph, walk and report work with. */
export interface AnyResource {
  readonly id: string
  readonly layer: Layer
  readonly title: string
  readonly dependsOn: readonly string[]
  readonly onceWritten?: readonly string[]
  readonly wanted: unknown
  /** Id of the resource that makes it and takes it away. */
  readonly partOf?: string
  /** Id of a resource that could not go while this one stays. */
  readonly goesWith?: string
  /** While it stays, what it depends on stays as well. */
  readonly works: boolean
  /** Single fields can be left as they are while others are written. */
  readonly leavesFields: boolean
  /** Reads, compares, and hands back what to do about it. */
  inspect(signal: AbortSignal): Promise<Inspection>
  /** Reads it, and takes away what goes of it. Rejects with UserError, nothing removed, when it cannot be read. */
  remove(step: Step, claim: Claim): Promise<Removal>
}

export interface Inspection {
  readonly resource: AnyResource
  readonly state: 'as wanted' | 'differs' | 'absent' | 'unreadable'
  readonly differences: readonly Difference[]
  /** Names of what is there of it; empty when nothing is. */
  readonly present: readonly string[]
  /** What is worth a line and is no difference. */
  readonly notes?: readonly string[]
  /** Set when it is there, and whose it is can be seen. */
  readonly owner?: Owner
  /** Whose each of the names is, and whether a removal takes it. */
  judged(claim: Claim): readonly Judged[]
  /** Set when unreadable. */
  readonly unreadable?: Unreadable
  /** Set when what is there must not be touched. */
  readonly refusal?: UserError
  /** The same comparison against another wanted state, for instance the recorded one. */
  against(wanted: unknown): readonly Difference[]
  /** The same without the differences at such paths: they are none to an install either, which leaves them as they are. */
  leaving(isLeft: (path: string) => boolean): Inspection
  /** Rejects with UserError, nothing written, when it is unreadable. */
  apply(step: Step): Promise<void>
  settle(step: Step): Promise<void>
  /** Well too where nothing is there: that is a difference. */
  health(look: Look): Promise<Health>
}

/** Hides a resource's own types behind the walk's interface, so that a list of resources needs no casts. */
export function resource<W, L>(own: Resource<W, L>, isWanted: (value: unknown) => value is W): AnyResource {
  const presentOf = (live: Live<L>): readonly string[] =>
    live.state === 'present' ? (own.present?.(live.value) ?? [own.title]) : []
  const judgedOf = (live: Live<L>, claim: Claim): readonly Judged[] =>
    live.state === 'present' ? judge(own.sign, live.value, presentOf(live), claim) : []

  async function inspect(signal: AbortSignal): Promise<Inspection> {
    const live = await own.read(signal)
    const differencesFrom = (wanted: W): readonly Difference[] =>
      live.state === 'present'
        ? own.compare(wanted, live.value)
        : live.state === 'absent'
          ? own.absent(wanted)
          : []
    const all = differencesFrom(own.wanted)
    const refusal = live.state === 'present' ? own.refusal?.(live.value) : undefined
    const owner = live.state === 'present' ? ownerBySign(own.sign, live.value, presentOf(live)) : undefined
    const inspection = (isLeft: (path: string) => boolean): Inspection => {
      const differences = all.filter(({ path }) => !isLeft(path))
      return {
        resource: self,
        state: stateOf(live, differences),
        differences,
        present: presentOf(live),
        judged: (claim) => judgedOf(live, claim),
        ...(live.state === 'present' && own.notes !== undefined && { notes: own.notes(live.value) }),
        ...(owner !== undefined && { owner }),
        ...(live.state === 'unreadable' && {
          unreadable: {
            reason: live.reason,
            ...(live.missingPermission !== undefined && { missingPermission: live.missingPermission })
          }
        }),
        ...(refusal !== undefined && { refusal }),
        against: (wanted) => {
          if (!isWanted(wanted)) return []
          // A record mostly wants what is wanted now, and the schemas of CRDs are long.
          const from = isDeepStrictEqual(wanted, own.wanted) ? all : differencesFrom(wanted)
          return from.filter(({ path }) => !isLeft(path))
        },
        leaving: (more) => inspection((path) => isLeft(path) || more(path)),
        apply: async (step) => {
          if (live.state === 'unreadable') throw unreadableError(own.title, live, 'It was left as it is.')
          const left = all.map(({ path }) => path).filter(isLeft)
          await own.apply(live, differences, step, left)
        },
        settle: async (step) => own.settle?.(step),
        health: async (look) =>
          live.state === 'present' && own.health !== undefined ? own.health(live.value, look) : well
      }
    }
    return inspection(() => false)
  }

  async function remove(step: Step, claim: Claim): Promise<Removal> {
    const live = await own.read(step.signal)
    if (live.state === 'unreadable') throw unreadableError(own.title, live, 'It was left as it is.')
    const removal = await removeKnown(live, step, claim)
    const kept = removal.outcome === 'kept'
    const ours = removal.outcome === 'removed' || claim.recorded?.before.length === 0
    await own.afterRemoval?.({ live, kept, ours }, step)
    return removal
  }

  async function removeKnown(live: Known<L>, step: Step, claim: Claim): Promise<Removal> {
    const judged = judgedOf(live, claim)
    if (live.state === 'absent' || judged.length === 0) return { outcome: 'absent' }
    const going = judged.filter(({ stays }) => stays === undefined).map(({ name }) => name)
    if (going.length === 0) return { outcome: 'kept', reason: reasonsText(own.title, judged) }
    // Whoever takes it away has done so, or is gone: the proof says whether it went along.
    if (own.sign.by === 'whole' && claim.whole === undefined) return { outcome: 'removed' }
    return own.remove(live.value, step, going)
  }

  const self: AnyResource = {
    id: own.id,
    layer: own.layer,
    title: own.title,
    dependsOn: own.dependsOn,
    ...(own.onceWritten !== undefined && { onceWritten: own.onceWritten }),
    wanted: own.wanted,
    ...(own.sign.by === 'whole' && { partOf: own.sign.whole }),
    ...(own.sign.by === 'record' && own.sign.goesWith !== undefined && { goesWith: own.sign.goesWith }),
    works: own.works === true,
    leavesFields: own.leavesFields === true,
    inspect,
    remove
  }
  return self
}

function stateOf<L>(live: Live<L>, differences: readonly Difference[]): Inspection['state'] {
  if (live.state === 'unreadable') return 'unreadable'
  if (differences.length === 0) return 'as wanted'
  return live.state === 'absent' ? 'absent' : 'differs'
}
