import { claimsOf } from '../../src/engine/claims.js'
import { Graph } from '../../src/engine/graph.js'
import type { InstallRecord } from '../../src/engine/record.js'
import type { AnyResource } from '../../src/engine/resource.js'
import type { Claim, Sign } from '../../src/engine/standing.js'
import { inspectAll } from '../../src/engine/walk.js'
import { textResource } from './fake-resources.js'

const record: InstallRecord = {
  schema: 1,
  karpenterVersion: '1.14.0',
  run: 'run',
  time: '2026-11-24T10:00:00.000Z',
  resources: { stack: { before: ['there'], wanted: 'x' } }
}

/** A stack with some names, a part of it, and a thing that cannot go without it. */
async function claims(
  names: readonly string[] | undefined,
  by: { readonly record?: InstallRecord; readonly removeAdopted?: boolean } = {}
): Promise<Readonly<Record<string, Claim>>> {
  const world = new Map(names === undefined ? [] : [['stack', 'x']])
  const of = (id: string, sign: Sign<string>, dependsOn: readonly string[] = ['stack']): AnyResource =>
    textResource(id, dependsOn, world, { sign, present: () => names ?? [] })
  const graph = new Graph([
    of('stack', { by: 'record' }, []),
    of('part', { by: 'whole', whole: 'stack' }),
    of('with', { by: 'record', goesWith: 'stack' }),
    of('alone', { by: 'record' })
  ])
  const asked = { record: by.record, removeAdopted: by.removeAdopted ?? false }
  return Object.fromEntries(claimsOf(graph, asked, await inspectAll(graph, new AbortController().signal)))
}

it('a claim is what is recorded of each, and what was asked for', async () => {
  expect(await claims(undefined)).toEqual({
    stack: { removeAdopted: false },
    part: { removeAdopted: false },
    with: { removeAdopted: false },
    alone: { removeAdopted: false }
  })
  expect(await claims(undefined, { record, removeAdopted: true })).toMatchObject({
    stack: { recorded: { before: ['there'] }, removeAdopted: true },
    alone: { recorded: undefined, removeAdopted: true }
  })
})

it.each([
  ['goes', ['made'], { title: 'Text stack', standing: 'made', stays: undefined }],
  ['stays in part', ['made', 'there'], { title: 'Text stack', standing: 'found', stays: 'there before us' }],
  ['is there without a name', [], undefined],
  ['is not there', undefined, undefined]
])('what is of a whole goes by that, which %s', async (_what, names, whole) => {
  const { part, with: goesWith, alone, stack } = await claims(names, { record })
  expect([part?.whole, goesWith?.whole]).toEqual([whole, whole])
  expect([alone?.whole, stack?.whole]).toEqual([undefined, undefined])
})

it('what is of a whole that nobody looked at goes by itself', () => {
  const graph = new Graph([textResource('part', [], new Map(), { sign: { by: 'whole', whole: 'stack' } })])
  expect(claimsOf(graph, { record, removeAdopted: false }, new Map()).get('part')?.whole).toBeUndefined()
})
