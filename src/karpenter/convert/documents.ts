import { constructFromEvents, CORE_SCHEMA, EVENT_ID, parseEvents, YAMLException } from 'js-yaml'
import { boundedText, boundedValue } from '../../engine/bounded-yaml.js'
import { messageOf, UserError } from '../../engine/errors.js'
import { isMap } from '../../engine/json.js'
import type { Place } from './findings.js'

export interface ReadDocument {
  readonly place: Place
  readonly value: unknown
}

/** Every document that is not empty, with its place; the items of a List each for themselves. */
export function readDocuments(text: string, source: string): readonly ReadDocument[] {
  try {
    const events = parseEvents(boundedText(text), {})
    const values = constructFromEvents(events, { source: text, schema: CORE_SCHEMA }).map(boundedValue)
    const starts: number[] = []
    events.forEach((event, index) => {
      if (event.type === EVENT_ID.DOCUMENT) starts.push(startOf(events[index + 1]))
    })
    return values
      .map((value, index) => ({
        value,
        place: { source, document: index + 1, line: lineAt(text, starts[index]) }
      }))
      .filter(({ value }) => value !== null && value !== undefined)
      .flatMap(({ value, place }) =>
        isMap(value) && value['kind'] === 'List' && Array.isArray(value['items'])
          ? value['items'].map((item: unknown) => ({ value: item, place }))
          : [{ value, place }]
      )
  } catch (error) {
    const line =
      error instanceof YAMLException && error.mark !== undefined ? ` (line ${error.mark.line + 1})` : ''
    throw new UserError(
      `${source}${line}`,
      `is not YAML: ${error instanceof YAMLException ? error.reason : messageOf(error)}`,
      'Correct the manifest and run again.',
      { state: 'Nothing was changed.' }
    )
  }
}

function startOf(event: ReturnType<typeof parseEvents>[number] | undefined): number {
  if (event === undefined) return 0
  if ('start' in event) return event.start
  return 'valueStart' in event ? event.valueStart : 0
}

function lineAt(text: string, offset = 0): number {
  return text.slice(0, offset).split('\n').length
}
