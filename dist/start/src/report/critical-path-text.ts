import { code, joined, markdown, seconds, shown, type Text } from './markdown.js'
import type { CriticalPath, PathCall, PathLoss } from './report.js'

/** Waits and losses that are named. */
const mostNamed = 3

/** What the run could not be quicker than, who was waited for, and where time was lost beside it; Markdown. */
export function criticalPathText(path: CriticalPath): string {
  const waits = path.calls.filter(({ waitedFor }) => waitedFor !== undefined)
  return [
    `Critical path, ${seconds(path.seconds)} of calls that needed each other: ${shown(joined(path.ids.map(code), ' → '))}.`,
    sentence('In it waits', waits, waitText),
    path.lost < 0.05
      ? 'Nothing was lost beside it.'
      : sentence(`Lost beside it, ${seconds(path.lost)}`, path.losses, lossText)
  ]
    .filter((text) => text !== '')
    .join(' ')
}

function sentence<T extends { readonly seconds: number }>(
  what: string,
  all: readonly T[],
  text: (one: T) => Text
): string {
  if (all.length === 0) return ''
  const most = all.toSorted((a, b) => b.seconds - a.seconds).slice(0, mostNamed)
  return `${what}: ${most.map((one) => `${seconds(one.seconds)} ${shown(text(one))}`).join(', ')}.`
}

function waitText({ name, waitedFor }: PathCall): Text {
  return joined([markdown(`for ${waitedFor ?? ''} (`), code(name), markdown(')')], '')
}

function lossText({ before, in: unit }: PathLoss): Text {
  if (before !== undefined) return joined([markdown('before '), code(before)], '')
  return unit === '' ? markdown('at the end') : joined([markdown('in '), code(unit)], '')
}
