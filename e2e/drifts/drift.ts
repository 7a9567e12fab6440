import type { AnotherHand } from '../another-hand.js'

/** A finding that a planted drift must lead to. */
export interface Expected {
  /** Of the resource. */
  readonly id: string
  readonly path: string
  readonly severity: 'breaks scaling' | 'weakens security' | 'changes behaviour' | 'cosmetic'
  /** The manager whose work it is, where Kubernetes or helm keep it. */
  readonly by?: string
}

/** Something that somebody changes behind the installation's back, and what a check must say of it: that and no more. */
export interface Drift {
  readonly name: string
  readonly plant: (hand: AnotherHand) => Promise<unknown>
  readonly finds: (hand: AnotherHand) => readonly Expected[]
  /** What other rows change is gone with it, or changed by it again: not planted together with them. */
  readonly hides?: true
}
