import { type InstallRecord, nextRecord, parseRecord, recordAhead } from '../../src/engine/record.js'

const facts = { karpenterVersion: '1.14.0', run: 'run-2', time: '2026-01-02T00:00:00Z' }
const previous: InstallRecord = {
  schema: 1,
  karpenterVersion: '1.2.1',
  run: 'run-1',
  time: '2026-01-01T00:00:00Z',
  smokeTest: { time: '2026-01-01T00:01:00Z' },
  resources: { stack: { origin: 'created', wanted: 'a' }, tags: { origin: 'found', wanted: 'b' } }
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
      { id: 'stack', wanted: 'new', wasAbsent: false },
      { id: 'tags', wanted: 'new', wasAbsent: true },
      { id: 'role', wanted: 'new', wasAbsent: true },
      { id: 'queue', wanted: 'new', wasAbsent: false }
    ])
    expect(Object.entries(record.resources).map(([id, { origin }]) => [id, origin])).toEqual([
      ['stack', 'created'],
      ['tags', 'found'],
      ['role', 'created'],
      ['queue', 'found']
    ])
  })

  it('forgets the smoke test of what was there before the change', () => {
    expect(nextRecord(previous, facts, []).smokeTest).toBeUndefined()
  })
})

describe('recordAhead', () => {
  it('says of what is absent that it is about to be created, before anything is', () => {
    const record = recordAhead(previous, facts, [
      { id: 'role', wanted: 'new', wasAbsent: true },
      { id: 'stack', wanted: 'new', wasAbsent: false }
    ])
    expect(record?.resources['role']).toEqual({ origin: 'created', wanted: undefined })
    expect(record?.resources['stack']).toEqual(previous.resources['stack'])
    expect(record?.karpenterVersion).toBe('1.2.1')
  })

  it('keeps the origin when a run that was killed is run again', () => {
    const ahead = recordAhead(undefined, facts, [{ id: 'role', wanted: 'new', wasAbsent: true }])
    const after = nextRecord(ahead, facts, [{ id: 'role', wanted: 'new', wasAbsent: false }])
    expect(after.resources['role']?.origin).toBe('created')
  })

  it('has nothing to say when all is known already', () => {
    expect(recordAhead(previous, facts, [{ id: 'stack', wanted: 'new', wasAbsent: true }])).toBeUndefined()
  })
})
