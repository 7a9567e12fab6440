import type { Report, TimelineBar } from './report.js'
import { oneLine } from '../engine/plain-text.js'

/** Below it there is nothing that a picture would show better than the lists do. */
const fewestBars = 4
/**
 * Rows that a person takes in. Mermaid draws no text above 50,000 characters (`maxTextSize`, mermaid 11.17.2, which GitHub
 * leaves at its default); these come to 15,000 at most. `maxEdges` is about arrows, and a gantt has none.
 */
const mostBars: Readonly<Record<TimelineBar['part'], number>> = { stages: 20, resources: 40, nodes: 30 }
const longestTitle = 60

/**
 * A gantt of what the run did and when, as GitHub draws it out of a block of Mermaid: critical path marked, nodes as they
 * come and go. Empty where a run has changed nothing, or too little to be drawn.
 */
export function timelineText({ mode, changed, smokeTests, timeline = [] }: Report): string {
  if (mode === 'plan' || mode === 'check' || (!changed && smokeTests.length === 0)) return ''
  const parts = (['stages', 'resources', 'nodes'] as const).map((part) => longest(timeline, part))
  if (parts.flat().length < fewestBars) return ''
  return [
    '```mermaid',
    'gantt',
    'dateFormat YYYY-MM-DD HH:mm:ss.SSS',
    `axisFormat ${axisFormat(Math.max(0, ...timeline.map(({ to }) => to)))}`,
    ...parts.flatMap((bars) => {
      const [first] = bars
      return first === undefined ? [] : [`section ${names[first.part]}`, ...bars.map(line)]
    }),
    '```'
  ].join('\n')
}

const names: Readonly<Record<TimelineBar['part'], string>> = {
  stages: 'Stages',
  resources: 'Resources',
  nodes: 'Nodes'
}

/** Those that took longest, in their order. */
function longest(timeline: readonly TimelineBar[], part: TimelineBar['part']): readonly TimelineBar[] {
  const bars = timeline.filter((bar) => bar.part === part)
  const kept = new Set(bars.toSorted((a, b) => b.to - b.from - (a.to - a.from)).slice(0, mostBars[part]))
  return bars.filter((bar) => kept.has(bar))
}

function line({ part, title, from, to, critical, failed }: TimelineBar): string {
  const tag = failed || critical ? 'crit, ' : ''
  const words = `${part === 'nodes' ? 'Node ' : ''}${title}${failed ? ' failed' : ''}`
  return `${taskName(words)} :${tag}${moment(from)}, ${moment(Math.max(to, from + 0.1))}`
}

/**
 * In the name of a task a colon, a semicolon, a hash, a percent sign or the end of the line is syntax, and a word such as
 * `click` at its beginning (gantt's grammar, mermaid 11.17.2). Only what can be none is left.
 */
function taskName(title: string): string {
  const plain = oneLine(title)
    .replaceAll(/[^\p{L}\p{N} ._/()@+,-]/gu, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .trim()
  const short = plain.length > longestTitle ? `${plain.slice(0, longestTitle - 3)}...` : plain
  return short === '' ? 'unnamed' : reserved.test(short) ? `the ${short}` : short
}

const reserved =
  /^(?:gantt|dateFormat|inclusiveEndDates|topAxis|axisFormat|tickInterval|includes|excludes|todayMarker|weekday|weekend|title|accTitle|accDescr|section|click|call|href|\d)/i

/** On a day of no meaning: only what has gone by since its beginning is shown. */
function moment(seconds: number): string {
  return new Date(Date.UTC(2000, 0, 1) + Math.round(seconds * 1000))
    .toISOString()
    .replace('T', ' ')
    .replace('Z', '')
}

function axisFormat(seconds: number): string {
  return seconds < 10 ? '%S.%L' : seconds < 3600 ? '%M:%S' : '%H:%M:%S'
}
