import type { RemovalListing } from '../engine/removal-listing.js'
import { bold, literal, prose } from './markdown.js'
import { fitting, opening, type Section } from './sections.js'

/** Bytes of the summary that each list may take; the report has all. */
const mostBytes = 25_000
const mostOpen = 12

/** What is left, what stayed and why, what went, and what was read to know it. */
export function removalText({ removed, kept, leftovers, proof }: RemovalListing): string {
  const reasoned = (name: string, reason: string): string => `- ${bold(name)}: ${prose(reason)}`
  return [
    part(
      'Left over',
      opening(
        leftovers.map(({ name, reason }) => reasoned(name, reason)),
        mostOpen
      )
    ),
    part(
      'Kept',
      opening(
        kept.map(({ title, reason }) => reasoned(title, reason)),
        mostOpen
      )
    ),
    part(
      'Removed',
      opening(
        removed.map(({ title }) => `- ${literal(title)}`),
        mostOpen
      )
    ),
    part('Read afterwards', proofSections(proof))
  ]
    .filter((text) => text !== '')
    .join('\n\n')
}

function part(title: string, sections: readonly Section[]): string {
  const text = fitting(sections, mostBytes)
  return text === '' ? '' : `### ${title}\n\n${text}`
}

/** What is still there first: it is what a reader looks for. */
function proofSections(proof: RemovalListing['proof']): readonly Section[] {
  const there = proof.filter(({ found }) => found.length > 0)
  const gone = proof.filter(({ found }) => found.length === 0)
  return [
    ...opening(
      there.map(({ what, found }) => `- ${literal(what)}: ${literal(few(found))}`),
      mostOpen
    ),
    ...(gone.length === 0
      ? []
      : [
          { title: `${gone.length} read as gone`, blocks: gone.map(({ what }) => `- ${literal(what)}: gone`) }
        ])
  ]
}

function few(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(', ')
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown
}
