import { type InstallRecord, nextRecord, parseRecord, recordAhead } from '../../src/engine/record.js'

const facts = { karpenterVersion: '1.14.0', run: 'run-2', time: '2026-01-02T00:00:00Z' }
const previous: InstallRecord = {
  schema: 1,
  karpenterVersion: '1.2.1',
  run: 'run-1',
  time: '2026-01-01T00:00:00Z',
  smokeTest: { time: '2026-01-01T00:01:00Z' },
  resources: { stack: { before: [], wanted: 'a' }, tags: { before: ['subnet-0ab1'], wanted: 'b' } }
}

describe('parseRecord', () => {
  it('reads what was written', () => {
    expect(parseRecord(JSON.stringify(previous))).toEqual(previous)
  })

  it.each(['{}', '{"schema":2,"resources":{}}', '{"schema":1,"resources":{}}', '[]'])(
    'takes %s for no record',
    (text) => {
      expect(parseRecord(text)).toBeUndefined()
    }
  )
})

describe('nextRecord', () => {
  it('remembers what was there before the first run, whatever is read later', () => {
    const record = nextRecord(previous, facts, [
      { id: 'stack', wanted: 'new', found: ['stack'] },
      { id: 'tags', wanted: 'new', found: [] },
      { id: 'role', wanted: 'new', found: [] },
      { id: 'queue', wanted: 'new', found: ['queue'] }
    ])
    expect(Object.entries(record.resources).map(([id, { before }]) => [id, before])).toEqual([
      ['stack', []],
      ['tags', ['subnet-0ab1']],
      ['role', []],
      ['queue', ['queue']]
    ])
  })

  it('forgets the smoke test of what was there before the change', () => {
    expect(nextRecord(previous, facts, []).smokeTest).toBeUndefined()
  })
})

describe('recordAhead', () => {
  it('says what was there of what no run has seen yet, before anything is written', () => {
    const record = recordAhead(previous, facts, [
      { id: 'role', wanted: 'new', found: [] },
      { id: 'association', wanted: 'new', found: ['association'] },
      { id: 'stack', wanted: 'new', found: ['stack'] }
    ])
    expect(record?.resources['role']).toEqual({ before: [], wanted: undefined })
    expect(record?.resources['association']).toEqual({ before: ['association'], wanted: undefined })
    expect(record?.resources['stack']).toEqual(previous.resources['stack'])
    expect(record?.karpenterVersion).toBe('1.2.1')
  })

  it("does not take its own work for somebody else's when a run that was killed is run again", () => {
    const ahead = recordAhead(undefined, facts, [{ id: 'role', wanted: 'new', found: [] }])
    const after = nextRecord(ahead, facts, [{ id: 'role', wanted: 'new', found: ['role'] }])
    expect(after.resources['role']?.before).toEqual([])
  })

  it('says ahead what is taken over, and keeps it said in every later record', () => {
    const adoption = { namespace: 'kube-system' }
    const taken = { id: 'release', wanted: 'w', found: ['release'], adopted: true } as const
    const ahead = recordAhead(undefined, { ...facts, adoption }, [taken])
    expect(ahead?.adoption).toEqual(adoption)
    expect(ahead?.resources['release']).toEqual({ before: ['release'], adopted: true, wanted: undefined })
    const later = { id: 'release', wanted: 'w', found: ['release'] }
    const next = nextRecord(ahead, { ...facts, adoption }, [later])
    expect(parseRecord(JSON.stringify(next))).toEqual({
      schema: 1,
      ...facts,
      adoption,
      resources: { release: { before: ['release'], adopted: true, wanted: 'w' } }
    })
  })

  it('takes over nothing that it has made itself', () => {
    const own = { id: 'stack', wanted: 'w', found: ['stack'], adopted: true } as const
    expect(nextRecord(previous, facts, [own]).resources['stack']).toEqual({ before: [], wanted: 'w' })
  })

  it('has nothing to say when all is known already', () => {
    expect(recordAhead(previous, facts, [{ id: 'stack', wanted: 'new', found: [] }])).toBeUndefined()
  })
})
