import type { RemovalListing } from '../engine/removal-listing.js'
import { list, literal, table } from './markdown.js'

/** What went, what stayed and why, what is left, and what was read to know it. */
export function removalText({ removed, kept, leftovers, proof }: RemovalListing): string {
  const rows = proof.map(({ what, found }) => [
    literal(what),
    found.length === 0 ? 'gone' : literal(few(found))
  ])
  return [
    ...(leftovers.length === 0
      ? []
      : [
          list(
            'Left over',
            leftovers.slice(0, 100).map(({ name, reason }) => `${literal(name)}: ${literal(reason)}`)
          )
        ]),
    ...(kept.length === 0
      ? []
      : [
          list(
            'Kept',
            kept.map(({ title, reason }) => `${literal(title)}: ${literal(reason)}`)
          )
        ]),
    ...(removed.length === 0
      ? []
      : [
          list(
            'Removed',
            removed.map(({ title }) => literal(title))
          )
        ]),
    `### Read afterwards\n\n${table(['Resource', 'Found'], rows)}`
  ].join('\n\n')
}

function few(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(', ')
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown
}
