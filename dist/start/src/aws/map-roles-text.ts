import { COLLECTION_STYLE, EVENT_ID, parseEvents } from 'js-yaml'

/** A YAML list as text, for edits that leave every other character as it is. */
export interface ListText {
  /** Undefined where the text has no list: it is empty, or comments alone. */
  readonly style: 'block' | 'flow' | undefined
  /** Where each item stands: of a block list whole lines, its comments before it not included. */
  readonly items: readonly { readonly start: number; readonly end: number }[]
  /** Where a list in brackets begins and ends. */
  readonly start: number
  readonly end: number
}

/** Throws YAMLException where the text is no YAML. */
export function listText(text: string): ListText {
  const events = parseEvents(text, {})
  const list = events[1]
  if (list?.type !== EVENT_ID.SEQUENCE) return { style: undefined, items: [], start: 0, end: 0 }
  const starts: number[] = []
  let depth = 0
  for (const event of events.slice(2)) {
    if (event.type === EVENT_ID.POP) depth -= 1
    if (depth < 0) break
    if (depth === 0 && event.type !== EVENT_ID.POP) starts.push(beginningOf(event))
    if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) depth += 1
  }
  if (list.style === COLLECTION_STYLE.FLOW) {
    const end = closing(text, list.start)
    const items = starts.map((start) => ({ start, end: closing(text, start) }))
    return { style: 'flow', items, start: list.start, end }
  }
  const lines = starts.map((start) => dashLine(text, start))
  const items = lines.map((start, index) => ({ start, end: contentEnd(text, start, lines[index + 1]) }))
  return { style: 'block', items, start: list.start, end: text.length }
}

function beginningOf(event: ReturnType<typeof parseEvents>[number]): number {
  const own = 'start' in event ? event.start : 'valueStart' in event ? event.valueStart : Infinity
  const anchors =
    'tagStart' in event
      ? [event.anchorStart, event.tagStart]
      : 'anchorStart' in event
        ? [event.anchorStart]
        : []
  return Math.min(own, ...anchors.filter((at) => at >= 0))
}

/** The beginning of the line whose dash opens the item; the dash may stand alone on a line before it. */
function dashLine(text: string, start: number): number {
  const dash = text.lastIndexOf('-', start - 1)
  return text.lastIndexOf('\n', Math.max(0, dash)) + 1
}

/** The end of an item's last line: blank lines, comments and a document's end mark after it belong to what follows. */
function contentEnd(text: string, start: number, next: number | undefined): number {
  const lines = text.slice(start, next).split(/(?<=\n)/)
  while (lines.length > 1 && /^\s*(#.*)?$|^\.\.\.(\s|$)/.test((lines.at(-1) ?? '').trimEnd())) lines.pop()
  return start + lines.join('').length
}

/** Behind the bracket that closes the one at `start`, or behind a plain item. */
function closing(text: string, start: number): number {
  let depth = 0
  let quote = ''
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at)
    if (quote !== '') {
      if (character === '\\' && quote === '"') at += 1
      else if (character === quote) quote = ''
    } else if (character === '"' || character === "'") quote = character
    else if (character === '[' || character === '{') depth += 1
    else if (character === ']' || character === '}') {
      depth -= 1
      if (depth <= 0) return depth < 0 ? at : at + 1
    } else if (character === ',' && depth === 0) return at
  }
  return text.length
}
