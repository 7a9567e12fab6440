import { ignore } from '../../src/inputs/ignore.js'

function parse(
  text: string,
  files: Readonly<Record<string, string>> = {}
): { readonly entries: ReturnType<typeof ignore>; readonly problems: readonly string[] } {
  const problems: string[] = []
  const entries = ignore(text, {
    problem: (wrong, right) => problems.push(`${wrong}; ${right}`),
    readFile: (path) => {
      const found = files[path]
      if (found === undefined) throw new Error('ENOENT')
      return found
    },
    findFiles: () => []
  })
  return { entries, problems }
}

const text = `
# kept by the team that runs the batch jobs
- resource: node-pool/batch
  field: spec.limits.*
  reason: raised by hand in the season
  until: 2026-12-31
- { resource: 'NodePool *', field: metadata.labels.*, reason: labels of the inventory }
`
const entries = [
  {
    resource: 'node-pool/batch',
    field: 'spec.limits.*',
    reason: 'raised by hand in the season',
    until: '2026-12-31'
  },
  { resource: 'NodePool *', field: 'metadata.labels.*', reason: 'labels of the inventory', until: undefined }
]

describe('ignore', () => {
  it('is a list, or the path of a file with one, or nothing', () => {
    expect(parse(text)).toEqual({ entries, problems: [] })
    expect(parse('karpenter/ignore.yaml', { 'karpenter/ignore.yaml': text })).toEqual({
      entries,
      problems: []
    })
    expect(parse('')).toEqual({ entries: [], problems: [] })
    expect(parse('# nothing yet\n')).toEqual({ entries: [], problems: [] })
  })

  it.each([
    ['- { resource: a, field: b }', 'entry 1 has no reason'],
    ["- { resource: a, field: b, reason: ' ' }", 'entry 1 has no reason'],
    ['- { field: b, reason: c }', 'entry 1 has no resource'],
    ['- { resource: a, reason: c }', 'entry 1 has no field'],
    ['- { resource: a, field: 1, reason: c }', 'entry 1 has no field'],
    ['- { resource: a, field: b, reason: c, till: 2026-12-31 }', 'entry 1 has "till"'],
    ['- { resource: a, field: b, reason: c, until: tomorrow }', 'until is "tomorrow", which is no day'],
    ['- { resource: a, field: b, reason: c, until: 2026-02-30 }', 'until is "2026-02-30", which is no day'],
    ['- a', 'entry 1 is no map'],
    ['resource: a\nfield: b', 'is no list'],
    ['- {', 'is no YAML'],
    ['nowhere.yaml', 'nowhere.yaml']
  ])('%s is refused: %s', (given, problem) => {
    expect(parse(given).problems.join('\n')).toContain(problem)
  })
})
