import type { IgnoredField } from '../engine/ignore.js'
import { cut, shown } from './markdown.js'
import { fitting, type Section } from './sections.js'

const longest = 400
/** Bytes of the summary that the list may take. */
const longestList = 20_000

/** What is left alone and what cannot be, for the log: a line each. */
export function ignoredLines({
  ignored,
  overwritten = []
}: {
  readonly ignored: readonly IgnoredField[]
  readonly overwritten?: readonly IgnoredField[]
}): readonly string[] {
  return [
    ...ignored.map((one) => `ignored: ${lineOf(one)}`),
    ...overwritten.map(
      (one) =>
        `not ignored: ${lineOf(one)}: the resource differs elsewhere as well, and is written as a whole`
    )
  ]
}

/** The same of what is ignored, folded under their number. */
export function ignoredSection(ignored: readonly IgnoredField[]): readonly Section[] {
  if (ignored.length === 0) return []
  const blocks = ignored.map((one) => `- ${shown(cut(lineOf(one), longest))}`)
  return [{ title: `${ignored.length} ignored`, blocks }]
}

/** For the job summary. */
export function ignoredText(ignored: readonly IgnoredField[]): string {
  return fitting(ignoredSection(ignored), longestList)
}

function lineOf({ title, difference, reason, until }: IgnoredField): string {
  return `${title}: ${difference} (${reason}${until === undefined ? '' : `, until ${until}`})`
}
