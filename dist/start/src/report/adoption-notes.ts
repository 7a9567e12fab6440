import type { AdoptionEntry } from './adoption-entry.js'
import { bold, literal, prose } from './markdown.js'
import { adviceText } from './prose.js'
import { fitting, opening } from './sections.js'

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

/** Bytes of the summary that the list may take. */
const mostBytes = 40_000
const mostOpen = 12

/** The same for the job summary: what is as wanted is folded. `asked`: of the run that was asked to adopt. */
export function adoptionText(entries: readonly AdoptionEntry[], asked: boolean): string {
  const block = (entry: AdoptionEntry): string => entryBlock(entry, asked)
  const asWanted = entries.filter(({ state }) => state === 'as wanted').map(block)
  const others = entries.filter(({ state }) => state !== 'as wanted').map(block)
  const sections = [
    ...opening(others, mostOpen),
    ...(asWanted.length === 0 ? [] : [{ title: `${asWanted.length} as wanted`, blocks: asWanted }])
  ]
  return `### Adoption\n\n${fitting(sections, mostBytes)}`
}

function entryBlock(
  { title, state, keeper, evidence, differences, adopt }: AdoptionEntry,
  asked: boolean
): string {
  const more = differences.length - mostDifferences
  const head = `- ${bold(title)}: ${state}${keeper === undefined ? '' : `, kept by ${literal(keeper)}`}`
  const does = `<code>adopt: true</code>${asked ? ':' : ' would'} ${adviceText(adopt)}`
  if (evidence.length === 0 && differences.length === 0) return `${head}; ${does}`
  return [
    head,
    ...(evidence.length === 0 ? [] : [`seen by ${prose(evidence.slice(0, 3).join('; '))}`].map(point)),
    ...differences.slice(0, mostDifferences).map(({ reason }) => point(prose(reason))),
    ...(more > 0 ? [point(`and ${more} more (see the report)`)] : []),
    point(does)
  ].join('\n')
}

function point(text: string): string {
  return `  - ${text}`
}
