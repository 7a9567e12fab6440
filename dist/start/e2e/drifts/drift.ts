import type { ResourceId, ResourceKind } from '../../src/resources/ids.js'
import type { AnotherHand } from '../another-hand.js'

/** A finding that a planted drift must lead to. */
export interface Expected {
  /** Of the resource. */
  readonly id: ResourceId
  readonly path: string
  readonly severity: 'breaks scaling' | 'weakens security' | 'changes behaviour' | 'cosmetic'
  /** The manager whose work it is, where Kubernetes or helm keep it. */
  readonly by?: string
}

/** What the name of a thing may have in it. */
export interface Place extends Pick<AnotherHand, 'cluster' | 'subnet' | 'securityGroup'> {
  readonly sandbox: Pick<AnotherHand['sandbox'], 'region'>
}

/** Something that somebody changes behind the installation's back, and what a check must say of it: that and no more. */
export interface Drift {
  readonly name: string
  readonly plant: (hand: AnotherHand) => Promise<unknown>
  readonly finds: (place: Place) => readonly Expected[]
  /** What other rows change is gone with it, or changed by it again: not planted together with them. */
  readonly hides?: true
}

/** What no row changes, each with the reason. */
export const withoutDrift: Partial<Readonly<Record<ResourceKind, string>>> = {
  namespace: 'what an install wants of it is that it is there, and nobody deletes it alone',
  controllerPods: 'they are what the release makes of them: its rows change them',
  retiredParts: 'it is there after a change of version alone: e2e/upgrade',
  retiredAssociation: 'it is there after a change to IRSA alone: e2e/identity',
  instances: 'part of a removal alone: e2e/uninstall',
  leftovers: 'part of a removal alone: e2e/uninstall'
}
