import type { Finding } from '../../src/engine/findings.js'
import { type IgnoreEntry, IgnoreList } from '../../src/engine/ignore.js'
import { Graph } from '../../src/engine/graph.js'
import { isMap, type JsonMap } from '../../src/engine/json.js'
import { inspectAll } from '../../src/engine/walk.js'
import { finding } from '../report/finding.js'
import { fieldsResource, MemoryJournal } from './fake-resources.js'

const now = Date.parse('2026-11-30T23:59:00Z')
const entry: IgnoreEntry = {
  resource: 'node-pool/*',
  field: 'spec.limits.*',
  reason: 'raised by hand',
  until: undefined
}
const drift: Finding = {
  ...finding,
  kind: 'drift',
  id: 'node-pool/gpu',
  title: 'NodePool gpu',
  path: 'spec.limits.cpu'
}

function leftOf(of: Finding, ...entries: readonly IgnoreEntry[]): number {
  return new IgnoreList(entries, now).sift([of]).left.length
}

describe('what a check ignores', () => {
  it('is a field of a resource, by id or title, with the reason', () => {
    const { left, ignored } = new IgnoreList([entry], now).sift([
      drift,
      { ...drift, path: 'spec.weight' },
      { ...drift, id: 'stack', title: 'Stack' }
    ])
    expect(left.map(({ id, path }) => [id, path])).toEqual([
      ['node-pool/gpu', 'spec.weight'],
      ['stack', 'spec.limits.cpu']
    ])
    expect(ignored).toEqual([
      {
        id: 'node-pool/gpu',
        title: 'NodePool gpu',
        layer: drift.layer,
        path: 'spec.limits.cpu',
        difference: drift.reason,
        reason: 'raised by hand'
      }
    ])
    expect(leftOf(drift, { ...entry, resource: 'NodePool g?u' })).toBe(0)
    expect(leftOf(drift, { ...entry, resource: 'node-pool' })).toBe(1)
    expect(leftOf(drift, { ...entry, field: 'spec.limits' })).toBe(1)
  })

  it('is what is pending too, and never what does not work, could not be read, or is missing as a whole', () => {
    const all = { ...entry, resource: '*', field: '*' }
    expect(leftOf({ ...drift, kind: 'pending' }, all)).toBe(0)
    expect(leftOf({ ...drift, kind: 'unhealthy' }, all)).toBe(1)
    expect(leftOf({ ...drift, kind: 'unknown' }, all)).toBe(1)
    expect(leftOf({ ...drift, path: '' }, all)).toBe(1)
  })

  it.each([
    ['2026-11-30', 0],
    ['2026-12-01', 0],
    ['2026-11-29', 1]
  ])('until %s: on the last day still, %i left', (until, left) => {
    expect(leftOf(drift, { ...entry, until })).toBe(left)
  })

  it('is told with the day until which it is, where it has one', () => {
    const untilOf = (until: string | undefined): unknown =>
      new IgnoreList([{ ...entry, until }], now).sift([drift]).ignored
    expect(untilOf('2026-12-01')).toMatchObject([{ until: '2026-12-01' }])
    expect(untilOf(undefined)).toEqual([expect.not.objectContaining({ until: undefined })])
  })

  it('shows no secret', () => {
    const secret = { ...drift, path: 'values.dbPassword', wanted: 'hunter2', reason: 'is hunter2, not x' }
    const { ignored } = new IgnoreList([{ ...entry, field: '*' }], now).sift([secret])
    expect(ignored).toHaveLength(1)
    expect(JSON.stringify(ignored)).not.toContain('hunter2')
  })
})

describe('what an install ignores', () => {
  const entries = (...fields: readonly string[]): readonly IgnoreEntry[] =>
    fields.map((field) => ({ ...entry, resource: 'fields', field }))

  /** What is left to write of `a` and `b`, which both differ, and what becomes of what is ignored. */
  async function left(ignored: readonly IgnoreEntry[], live: JsonMap | undefined, leavesFields?: true) {
    const written: unknown[] = []
    const resource = fieldsResource(
      { a: 1, b: 1, password: 'hunter2' },
      isMap(live) ? { state: 'present', value: live } : { state: 'absent' },
      {
        ...(leavesFields !== undefined && { leavesFields }),
        written: (paths, left) => written.push({ paths, left })
      }
    )
    const list = new IgnoreList(ignored, now)
    const inspections = await inspectAll(new Graph([resource]), new AbortController().signal)
    const sifted = list.leave(inspections)
    const inspection = sifted.inspections.get('fields')
    await inspection?.apply(new MemoryJournal().step('fields').step)
    return {
      state: inspection?.state,
      written,
      ignored: sifted.ignored,
      overwritten: sifted.overwritten,
      notes: list.notes()
    }
  }
  const edited = { a: 2, b: 2, password: 'hunter2' }
  const a = {
    id: 'fields',
    title: 'Fields fields',
    layer: 'karpenter',
    path: 'a',
    difference: 'a is 2',
    reason: entry.reason
  }

  it('is left as it is, and the rest is written, where single fields can be left', async () => {
    expect(await left(entries('a'), edited, true)).toEqual({
      state: 'differs',
      written: [{ paths: ['b'], left: ['a'] }],
      ignored: [a],
      overwritten: [],
      notes: []
    })
  })

  it('is written all the same where the resource is written as a whole for another difference', async () => {
    expect(await left(entries('a'), edited)).toEqual({
      state: 'differs',
      written: [{ paths: ['a', 'b'], left: [] }],
      ignored: [],
      overwritten: [a],
      notes: []
    })
  })

  it('is no difference any more where it is all that differs', async () => {
    expect(await left(entries('a', 'b'), edited)).toMatchObject({
      state: 'as wanted',
      ignored: [{ path: 'a' }, { path: 'b' }],
      overwritten: []
    })
  })

  it.each<[string, JsonMap | undefined, string]>([
    ['is not what is missing as a whole', undefined, 'absent'],
    ['is nothing where all is as wanted', { a: 1, b: 1, password: 'hunter2' }, 'as wanted'],
    ['is nothing where another field differs', { a: 1, b: 2, password: 'hunter2' }, 'differs']
  ])('%s', async (_what, live, state) => {
    expect(await left(entries('a'), live)).toMatchObject({
      state,
      ignored: [],
      overwritten: [],
      notes: ['ignore: fields a matches nothing that differs now']
    })
  })

  it('shows no secret', async () => {
    const { ignored } = await left(entries('password'), { a: 1, b: 1, password: 'hunter3' })
    expect(ignored).toMatchObject([{ path: 'password' }])
    expect(JSON.stringify(ignored)).not.toContain('hunter')
  })
})

test('an entry that matches nothing, or is past its date, is a note', () => {
  const list = new IgnoreList(
    [entry, { ...entry, field: 'spec.weight' }, { ...entry, until: '2026-11-01' }],
    now
  )
  list.sift([drift])
  expect(list.notes()).toEqual([
    'ignore: node-pool/* spec.weight matches nothing that differs now',
    'ignore: node-pool/* spec.limits.* ended on 2026-11-01, and is not used any more'
  ])
})
