import { ownerOfAll, type Owner } from './owner.js'
import type { RecordedResource } from './record.js'

/** What says whose a resource is. Every kind has one: a kind that does not sign in does not compile. */
export type Sign<L> =
  /**
   * Its own mark, put on it when it is made. `shared`: others come to rely on it, so that what was there before stays even
   * where it was taken over.
   */
  | { readonly by: 'mark'; readonly mark: (live: L, name: string) => Owner; readonly shared?: true }
  /**
   * The record alone, name by name: it can bear no mark. `goesWith`: id of a resource that could not go while this one
   * stays.
   */
  | { readonly by: 'record'; readonly goesWith?: string }
  /** Another resource, by its id: it makes this one, and takes it away. */
  | { readonly by: 'whole'; readonly whole: string }
  /** Nothing: it is never ours. */
  | { readonly by: 'nobody'; readonly reason: string }

/** Whose a thing is: made by us, taken over by us, there before us, or somebody else's. */
export type Standing = 'made' | 'adopted' | 'found' | 'other'

/** One name of what is there of a resource. */
export interface Judged {
  readonly name: string
  readonly standing: Standing
  /** Why a removal leaves it; undefined: it goes. */
  readonly stays: string | undefined
}

/** What there is to go by beside the mark. */
export interface Claim {
  /** Undefined: the record does not have it, or there is none. */
  readonly recorded?: RecordedResource | undefined
  /** Whether what was taken over goes as well. */
  readonly removeAdopted: boolean
  /** The resource that makes it, or that cannot go without it; undefined where that is not there. */
  readonly whole?: (Omit<Judged, 'name'> & { readonly title: string }) | undefined
}

/** Whose the names of a live resource are. */
export function judge<L>(sign: Sign<L>, live: L, names: readonly string[], claim: Claim): readonly Judged[] {
  return names.map((name) => ({ name, ...standingOf(sign, live, name, claim) }))
}

function standingOf<L>(sign: Sign<L>, live: L, name: string, claim: Claim): Omit<Judged, 'name'> {
  const { whole } = claim
  switch (sign.by) {
    case 'mark':
      return ofMark(sign.mark(live, name), name, claim, sign.shared === true)
    case 'record':
      return whole !== undefined && whole.stays === undefined ? goes('made') : ofRecord(name, claim)
    case 'whole':
      if (whole === undefined) return ofRecord(name, claim)
      return whole.stays === undefined
        ? goes(whole.standing)
        : { standing: whole.standing, stays: `part of ${whole.title}, which stays` }
    case 'nobody':
      return { standing: 'other', stays: sign.reason }
  }
}

/** Whose a marked thing is: one table for all kinds. */
export function ofMark(owner: Owner, name: string, claim: Claim, shared = false): Omit<Judged, 'name'> {
  const { recorded } = claim
  if (owner.kind === 'ours') return goes('made')
  if (recorded?.adopted === true && !shared) return ofAdopted(claim)
  if (owner.kind === 'other') return { standing: 'other', stays: `kept by ${owner.who}` }
  const before = recorded?.before.includes(name) === true
  const others = shared ? ', and others may have come to rely on it' : ''
  return before || shared
    ? { standing: 'found', stays: `there before us${others}` }
    : { standing: 'found', stays: 'it bears no mark of ours' }
}

function ofRecord(name: string, claim: Claim): Omit<Judged, 'name'> {
  const { recorded } = claim
  if (recorded === undefined) return { standing: 'found', stays: 'no record says that we made it' }
  if (!recorded.before.includes(name)) return goes('made')
  return recorded.adopted === true ? ofAdopted(claim) : { standing: 'found', stays: 'there before us' }
}

function ofAdopted({ removeAdopted }: Claim): Omit<Judged, 'name'> {
  return removeAdopted
    ? goes('adopted')
    : {
        standing: 'adopted',
        stays: 'it was taken over, and goes only when that is asked for (`remove-adopted: true`)'
      }
}

function goes(standing: Standing): Omit<Judged, 'name'> {
  return { standing, stays: undefined }
}

/** Whose a resource is as a whole, as far as that can be seen on it. */
export function ownerBySign<L>(sign: Sign<L>, live: L, names: readonly string[]): Owner | undefined {
  if (sign.by !== 'mark' || names.length === 0) return undefined
  return ownerOfAll(names.map((name) => sign.mark(live, name)))
}

/** `there before us: tag a, tag b`; the name is left out where it is the resource's own. */
export function reasonsText(title: string, staying: readonly Judged[]): string {
  const byReason = Map.groupBy(staying, ({ stays }) => stays ?? '')
  return [...byReason]
    .map(([reason, all]) => {
      const names = all.map(({ name }) => name).filter((name) => name !== title)
      return names.length === 0 ? reason : `${reason}: ${names.join(', ')}`
    })
    .join('; ')
}
