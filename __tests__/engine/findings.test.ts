import { countsOf, type Finding, findingsOf } from '../../src/engine/findings.js'
import { Graph } from '../../src/engine/graph.js'
import type { InstallRecord } from '../../src/engine/record.js'
import { inspectAll } from '../../src/engine/walk.js'
import { textResource } from './fake-resources.js'

const signal = new AbortController().signal

interface Texts {
  readonly recorded?: string
  readonly wanted: string
  readonly live?: string
}

/** The findings of one resource whose three states are these; `recorded` absent: a record without it. */
async function findings({ recorded, wanted, live }: Texts, record = true): Promise<readonly Finding[]> {
  const world = new Map(live === undefined ? [] : [['a', live]])
  const graph = new Graph([textResource('a', [], world, { wanted })])
  const resources: InstallRecord['resources'] =
    recorded === undefined ? {} : { a: { before: [], wanted: recorded } }
  return findingsOf(graph, await inspectAll(graph, signal), record ? recordOf(resources) : undefined)
}

function recordOf(resources: InstallRecord['resources']): InstallRecord {
  return { schema: 1, karpenterVersion: '1.14.0', run: 'run', time: '2026-11-24T10:00:00.000Z', resources }
}

describe('findingsOf', () => {
  it('finds nothing where record, wanted and live agree', async () => {
    expect(await findings({ recorded: 'x', wanted: 'x', live: 'x' })).toEqual([])
  })

  it('calls it drift when the live state is not as it was installed', async () => {
    expect(await findings({ recorded: 'x', wanted: 'x', live: 'edited' })).toEqual([
      {
        kind: 'drift',
        id: 'a',
        title: 'Text a',
        layer: 'kubernetes',
        path: 'text',
        wanted: 'x',
        recorded: 'x',
        live: 'edited',
        severity: 'cosmetic',
        reason: 'text differs',
        install: 'change it back to x'
      }
    ])
  })

  it('calls it pending when only the wanted state has moved', async () => {
    expect(await findings({ recorded: 'x', wanted: 'y', live: 'x' })).toMatchObject([
      { kind: 'pending', wanted: 'y', recorded: 'x', live: 'x', install: 'change it to y' }
    ])
  })

  it('counts once, as drift, what was edited and is wanted otherwise by now, with all three values', async () => {
    expect(await findings({ recorded: 'x', wanted: 'y', live: 'edited' })).toMatchObject([
      { kind: 'drift', wanted: 'y', recorded: 'x', live: 'edited' }
    ])
  })

  it('says that install leaves what was edited to what is wanted now', async () => {
    expect(await findings({ recorded: 'x', wanted: 'y', live: 'y' })).toMatchObject([
      {
        kind: 'drift',
        wanted: 'y',
        recorded: 'x',
        live: 'y',
        install: 'leave it, because it is as the inputs want it now'
      }
    ])
  })

  it('finds what is gone, and that install creates it', async () => {
    expect(await findings({ recorded: 'x', wanted: 'x' })).toMatchObject([
      { kind: 'drift', path: '', live: undefined, install: 'create it' }
    ])
  })

  it('calls everything drift that differs while there is no record', async () => {
    expect(await findings({ wanted: 'x', live: 'y' }, false)).toMatchObject([
      { kind: 'drift', recorded: undefined }
    ])
  })

  it('calls pending what an install has not wanted before', async () => {
    expect(await findings({ wanted: 'x' })).toMatchObject([{ kind: 'pending', install: 'create it' }])
  })

  it('calls unknown what could not be read, with the missing permission', async () => {
    const graph = new Graph([
      textResource('a', [], new Map([['a', 'x']]), { unreadable: 'access denied' }),
      textResource('b', [], new Map([['b', 'edited']]))
    ])
    const found = findingsOf(graph, await inspectAll(graph, signal), undefined)
    expect(found).toMatchObject([
      {
        kind: 'unknown',
        id: 'a',
        path: '',
        severity: 'cosmetic',
        reason: 'access denied',
        missingPermission: 'get texts',
        install: 'end before its first write, because it cannot compare this'
      },
      { kind: 'drift', id: 'b' }
    ])
    expect(countsOf(found)).toEqual({ drift: 1, unhealthy: 0, pending: 0, unknown: 1 })
  })

  it('names what was installed and is no longer asked for', async () => {
    const graph = new Graph([])
    const record = recordOf({
      'node-pool/old': { before: [], wanted: { kind: 'NodePool' } },
      'node-pool/announced': { before: [], wanted: undefined }
    })
    expect(findingsOf(graph, new Map(), record)).toMatchObject([
      {
        kind: 'pending',
        id: 'node-pool/old',
        layer: 'karpenter',
        severity: 'cosmetic',
        install: 'leave it as it is; mode uninstall removes it',
        reason: 'was installed on 2026-11-24T10:00:00.000Z and is no longer asked for'
      }
    ])
  })
})
