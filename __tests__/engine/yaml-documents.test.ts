import fc from 'fast-check'
import { constructFromEvents, CORE_SCHEMA, dump, EVENT_ID, parseEvents } from 'js-yaml'
import { readYaml, YamlProblem } from '../../src/engine/yaml.js'

/** As js-yaml reads a text in one piece. */
function whole(text: string): readonly { readonly value: unknown; readonly line: number }[] {
  const events = parseEvents(text, {})
  const starts = events.flatMap((event, index) => {
    const first = events[index + 1]
    if (event.type !== EVENT_ID.DOCUMENT) return []
    return first === undefined ? [0] : 'start' in first ? [first.start] : [valueStartOf(first)]
  })
  return constructFromEvents(events, { source: text, schema: CORE_SCHEMA, json: true }).map(
    (value, index) => ({
      value,
      line: text.slice(0, starts[index]).split('\n').length
    })
  )
}

function valueStartOf(event: object): number {
  return 'valueStart' in event && typeof event.valueStart === 'number' ? event.valueStart : 0
}

describe('the documents of a text', () => {
  const scalar = fc.oneof(
    fc.integer(),
    fc.constantFrom(
      'a',
      '---',
      '--- x',
      'a\n---\nb\n',
      '\n--- |\n',
      '%TAG',
      'b\n%YAML',
      'c\n...\n',
      '\u2028---\u2028'
    )
  )
  const body = fc.oneof(
    scalar,
    fc.array(scalar, { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), scalar, { minKeys: 1 })
  )
  const marker = fc.constantFrom(
    '---\n',
    '--- # says what it is\n',
    '...\n---\n',
    '\n---\r\n',
    '---\t\n',
    '---\n---\n'
  )
  const before = fc.constantFrom('', '# first\n', '---\n', '\n\n', '%YAML 1.2\n---\n')

  it('are the same as of the text in one piece, and stand in the same lines', () => {
    fc.assert(
      fc.property(before, fc.array(fc.tuple(body, marker), { maxLength: 5 }), (first, documents) => {
        const text = `${first}${documents.map(([value, next]) => dump(value) + next).join('')}`
        const [found, expected] = [readYaml(text), whole(text)]
        expect(found.map(({ value }) => value)).toEqual(expected.map(({ value }) => value))
        // What is empty stands nowhere.
        const filled = found.filter(({ value }) => value !== null)
        expect(filled).toEqual(expected.filter(({ value }) => value !== null))
      })
    )
  })

  it('are not begun by --- within a line, a word or a block', () => {
    const text = 'a: |\n  ---\n  b\nc: x ---\nd: "---"\ne: ----\n---e: 1\n'
    expect(readYaml('a: |\n  ---\n  b\nc: x ---\nd: "---"\ne: ----\n').map(({ value }) => value)).toEqual([
      { a: '---\nb\n', c: 'x ---', d: '---', e: '----' }
    ])
    expect(readYaml(text).map(({ value }) => value)).toEqual([
      { a: '---\nb\n', c: 'x ---', d: '---', e: '----', '---e': 1 }
    ])
  })

  it('tell the line of a fault in any of them', () => {
    const text = 'a: 1\n---\nb: 2\n---\nc: [\n'
    expect(() => readYaml(text)).toThrow(YamlProblem)
    expect(problemOf(text)).toEqual(problemOf('\n\n\n\nc: [\n'))
    expect(problemOf('a: 1\n---\nb: "\n---\nc: 3\n').line).toBe(4)
    expect(readYaml('a: 1\n---\n# none\n---\nb: 2\n').map(({ line }) => line)).toEqual([1, 2, 5])
  })
})

function problemOf(text: string): { readonly reason: string; readonly line: number | undefined } {
  try {
    readYaml(text)
  } catch (error) {
    if (error instanceof YamlProblem) return { reason: error.message, line: error.line }
  }
  return { reason: 'none', line: undefined }
}
