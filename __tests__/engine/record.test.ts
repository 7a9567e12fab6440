import {
  type InstallRecord,
  nextRecord,
  parseRecord,
  readRecordText,
  recordAhead
} from '../../src/engine/record.js'

const facts = { karpenterVersion: '1.14.0', run: 'run-2', time: '2026-01-02T00:00:00Z' }
const previous: InstallRecord = {
  schema: 1,
  karpenterVersion: '1.2.1',
  run: 'run-1',
  time: '2026-01-01T00:00:00Z',
  smokeTest: { time: '2026-01-01T00:01:00Z' },
  resources: { stack: { before: [], wanted: 'a' }, tags: { before: ['subnet-0ab1'], wanted: 'b' } }
}

/** With every field that a record can have. */
const whole: InstallRecord = {
  ...previous,
  kubernetesVersion: '1.34',
  facts: { statements: [] },
  adoption: { namespace: 'kube-system' },
  alsoTagged: ['subnet-9'],
  provedChart: { digest: 'sha256:a', asked: 'sha256:b', run: 'run-0', time: '2025-12-31T00:00:00Z' },
  valuesIn: 'secret',
  resources: {
    stack: {
      before: ['stack'],
      adopted: true,
      wanted: 'a',
      mutated: [{ path: 'spec', digest: 'd', by: ['MutatingWebhookConfiguration m'] }]
    }
  }
}

describe('parseRecord', () => {
  it('reads every field of one', () => {
    expect(parseRecord(JSON.stringify(whole))).toEqual(whole)
  })

  it('leaves out each field that is not what it should be', () => {
    const odd = {
      ...previous,
      kubernetesVersion: 1.34,
      smokeTest: { time: 0 },
      alsoTagged: [9],
      provedChart: { ...whole.provedChart, asked: undefined },
      valuesIn: 'file',
      resources: {
        stack: {
          before: [],
          adopted: 'yes',
          wanted: 'a',
          mutated: [
            { path: 'spec', digest: 1, by: [] },
            { path: 2, digest: 'd', by: [] }
          ]
        },
        role: { before: 'role', wanted: 'a' }
      }
    }
    const { smokeTest, ...rest } = previous
    expect(smokeTest).toBeDefined()
    expect(parseRecord(JSON.stringify(odd))).toEqual({
      ...rest,
      resources: { stack: { before: [], wanted: 'a', mutated: [] } }
    })
  })

  it.each([
    ['{', 'it is no JSON'],
    ['[]', 'it is no record of an install'],
    ['{"schema":2,"resources":{}}', 'it was written by a newer release of this action (schema 2)'],
    ['{"schema":"2","resources":{}}', 'it is no record of an install'],
    ['{"schema":1,"resources":{}}', 'it is no record of an install']
  ])('says why %s is none', (text, broken) => {
    expect(readRecordText(text)).toEqual({ broken })
  })

  it('reads what was written', () => {
    expect(parseRecord(JSON.stringify(previous))).toEqual(previous)
  })

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['another schema', { schema: 0 }],
    ['a list of resources', { resources: [] }],
    ['no version', { karpenterVersion: undefined }],
    ['no run', { run: undefined }],
    ['no time', { time: 1 }]
  ])('takes one with %s for no record', (_what, odd) => {
    expect(parseRecord(JSON.stringify({ ...previous, ...odd }))).toBeUndefined()
  })

  it.each(['digest', 'asked', 'run', 'time'])('takes no chart for proved whose proof lacks %s', (field) => {
    const provedChart = { ...whole.provedChart, [field]: undefined }
    expect(parseRecord(JSON.stringify({ ...whole, provedChart }))?.provedChart).toBeUndefined()
  })

  it.each(['{}', '{"schema":2,"resources":{}}', '{"schema":1,"resources":{}}', '[]'])(
    'takes %s for no record',
    (text) => {
      expect(parseRecord(text)).toBeUndefined()
    }
  )
})

describe('a record that is written', () => {
  it('has no field that nobody has given', () => {
    const stack = { id: 'stack', wanted: 'w', found: [] }
    const role = { id: 'role', wanted: 'w', found: [] }
    const written = [
      nextRecord(previous, facts, [stack]),
      recordAhead(previous, facts, [role]) ?? previous,
      parseRecord(JSON.stringify(previous)) ?? whole
    ]
    const fields = ['schema', 'karpenterVersion', 'run', 'time', 'resources'].toSorted()
    expect(
      written.map(({ smokeTest, ...record }) => [Object.keys(record).toSorted(), smokeTest === undefined])
    ).toEqual([
      [fields, true],
      [fields, true],
      [fields, false]
    ])
    for (const record of written) expect(record.resources['stack']).not.toHaveProperty('adopted')
  })
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

  it('says of the first install what was found', () => {
    expect(nextRecord(undefined, facts, [{ id: 'role', wanted: 'new', found: ['role'] }]).resources).toEqual({
      role: { before: ['role'], wanted: 'new' }
    })
  })

  it('keeps what somebody was seen to change of a write, until it is written and read again', () => {
    const stack = { id: 'stack', wanted: 'new', found: [] }
    expect(nextRecord(whole, facts, [stack]).resources['stack']).toEqual({
      ...whole.resources['stack'],
      wanted: 'new'
    })
    const again = nextRecord(whole, facts, [{ ...stack, mutated: [] }])
    expect(again.resources['stack']).not.toHaveProperty('mutated')
  })

  it('forgets the smoke test of what was there before the change', () => {
    expect(nextRecord(previous, facts, []).smokeTest).toBeUndefined()
  })
})

describe('recordAhead', () => {
  it('says of the install before all that it said, but for the smoke test that its change will undo', () => {
    const record = recordAhead(whole, facts, [{ id: 'role', wanted: 'new', found: [] }])
    const { karpenterVersion, kubernetesVersion, alsoTagged, provedChart } = whole
    expect(record).toEqual({
      schema: 1,
      run: facts.run,
      time: facts.time,
      karpenterVersion,
      kubernetesVersion,
      facts: whole.facts,
      alsoTagged,
      provedChart,
      resources: { ...whole.resources, role: { before: [], wanted: undefined } }
    })
  })

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

  it('says of a takeover that it is one, beside what is recorded already', () => {
    const adoption = { namespace: 'kube-system' }
    const role = { id: 'role', wanted: 'new', found: [] }
    expect(recordAhead(previous, { ...facts, adoption }, [role])?.adoption).toEqual(adoption)
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
