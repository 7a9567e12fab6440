import type { RemovalListing } from '../engine/removal-listing.js'
import { list, moreThan, table } from './markdown.js'

/** Rows that a person reads; the report has them all. */
const mostRows = 200

/** What went, what stayed and why, what is left, and what was read to know it. */
export function removalText({ removed, kept, leftovers, proof }: RemovalListing): string {
  const reasoned = (name: string, reason: string): string => `${name}: ${reason}`
  return [
    list(
      'Left over',
      leftovers.map(({ name, reason }) => reasoned(name, reason))
    ),
    list(
      'Kept',
      kept.map(({ title, reason }) => reasoned(title, reason))
    ),
    list(
      'Removed',
      removed.map(({ title }) => title)
    ),
    proofText(proof)
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** What is still there first: it is what a reader looks for. */
function proofText(proof: RemovalListing['proof']): string {
  const shown = [
    ...proof.filter(({ found }) => found.length > 0),
    ...proof.filter(({ found }) => found.length === 0)
  ]
    .slice(0, mostRows)
    .map(({ what, found }) => [what, found.length === 0 ? 'gone' : few(found)])
  return [
    '### Read afterwards',
    '',
    table(['Resource', 'Found'], shown),
    ...moreThan(shown.length, proof.length)
  ].join('\n')
}

function few(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(', ')
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown
}
