import type { AdoptionEntry } from './adoption-entry.js'
import { markdown, moreThan, table } from './markdown.js'

/** The adoption report for the log: a line a resource, its differences below, then the counts. */
export function adoptionLines(entries: readonly AdoptionEntry[]): readonly string[] {
  return [
    ...entries.flatMap((entry) => [
      `${entry.state}: ${entry.title}${keptBy(entry)}; adopt would ${entry.adopt}`,
      ...entry.differences.slice(0, mostDifferences).map(({ reason }) => `    ${reason}`),
      ...(entry.differences.length > mostDifferences
        ? [`    and ${entry.differences.length - mostDifferences} more (see the report)`]
        : [])
    ]),
    countsText(entries)
  ]
}

const mostDifferences = 5

/** `21 as wanted, 3 different, 4 somebody else's, 2 missing`. */
export function countsText(entries: readonly AdoptionEntry[]): string {
  const states: readonly AdoptionEntry['state'][] = [
    'as wanted',
    'different',
    "somebody else's",
    'missing',
    'unknown'
  ]
  return states
    .map((state) => ({ state, count: entries.filter((entry) => entry.state === state).length }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${state}`)
    .join(', ')
}

function keptBy({ keeper, evidence }: AdoptionEntry): string {
  const seen = evidence.slice(0, 3).join('; ')
  if (keeper !== undefined) return ` is kept by ${keeper} (${seen})`
  return seen === '' ? '' : ` (${seen})`
}

/** The same for the job summary. */
export function adoptionText(entries: readonly AdoptionEntry[]): string {
  const rows = entries.slice(0, mostRows).map((entry) => [
    entry.state,
    entry.title,
    entry.keeper ?? '',
    entry.evidence.slice(0, 3).join('; '),
    entry.differences
      .slice(0, 3)
      .map(({ reason }) => reason)
      .join('; '),
    entry.adopt
  ])
  return [
    '### Adoption',
    '',
    table(['', 'Resource', 'Kept by', 'Evidence', 'Differences', markdown('`adopt: true` would')], rows),
    ...moreThan(rows.length, entries.length)
  ].join('\n')
}

const mostRows = 100
