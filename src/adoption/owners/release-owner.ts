import { type Owner, ownerOfAll } from '../../engine/owner.js'
import type { Ownership } from '../../aws/environment.js'
import type { Release } from '../../helm/release.js'
import { ownerLabel } from '../../kubernetes/differences.js'
import { ownerOfObject } from './object-owner.js'

/** The release's own label names us. */
export function isMarkedOurs({ labels }: Pick<Release, 'labels'>, { owner }: Ownership): boolean {
  return labels[ownerLabel] === owner
}

/** By the release's own label, else by who runs helm on its objects: that they are of this release says nothing of that. */
export function ownerOfRelease(
  release: Pick<Release, 'labels'>,
  objects: readonly unknown[],
  ownership: Ownership
): Owner {
  if (isMarkedOurs(release, ownership)) return { kind: 'ours' }
  return ownerOfAll(objects.map((object) => byTool(ownerOfObject(object, ownership))))
}

/** An object that bears our mark does not make the release ours. */
function byTool(owner: Owner): Owner {
  if (owner.kind === 'ours') return { kind: 'unmarked', evidence: [] }
  return owner.kind === 'other' && owner.who.startsWith('Helm release ')
    ? { kind: 'unmarked', evidence: owner.evidence }
    : owner
}
