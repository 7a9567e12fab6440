import {
  countsOf,
  type Finding,
  type FindingKind,
  findingsOf,
  healthFindings
} from '../../src/engine/findings.js'
import type { Difference } from '../../src/engine/difference.js'
import { UserError } from '../../src/engine/errors.js'
import { Graph } from '../../src/engine/graph.js'
import type { JsonMap } from '../../src/engine/json.js'
import type { InstallRecord } from '../../src/engine/record.js'
import { inspectAll } from '../../src/engine/walk.js'
import { fieldsResource, textResource } from './fake-resources.js'

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

  it('finds nothing of what nobody looked at', () => {
    expect(findingsOf(new Graph([textResource('a', [], new Map())]), new Map(), undefined)).toEqual([])
  })

  it('counts each kind', async () => {
    const [found] = await findings({ recorded: 'x', wanted: 'x' })
    const of = (kind: FindingKind): Finding[] => (found === undefined ? [] : [{ ...found, kind }])
    expect(countsOf([...of('unhealthy'), ...of('pending'), ...of('pending'), ...of('drift')])).toEqual({
      drift: 1,
      unhealthy: 1,
      pending: 2,
      unknown: 0
    })
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
        path: '',
        layer: 'karpenter',
        severity: 'cosmetic',
        install: 'leave it as it is; mode uninstall removes it',
        reason: 'was installed on 2026-11-24T10:00:00.000Z and is no longer asked for'
      }
    ])
  })
})

describe('what install would do', () => {
  /** What a check says of it, by path; without a record, all that differs is drift. */
  async function installs(
    wanted: JsonMap,
    live: JsonMap,
    { recorded, refusal }: { readonly recorded?: JsonMap; readonly refusal?: UserError } = {}
  ): Promise<unknown> {
    const graph = new Graph([
      fieldsResource(wanted, { state: 'present', value: live }, refusal === undefined ? {} : { refusal })
    ])
    const record = recorded && recordOf({ fields: { before: [], wanted: recorded } })
    const found = findingsOf(graph, await inspectAll(graph, signal), record)
    return Object.fromEntries(found.map(({ path, install }) => [path, install]))
  }

  it('is to set what is not set, and to change back what was edited', async () => {
    expect(await installs({ a: 'x', b: 2, c: true }, { b: 3, c: false })).toEqual({
      a: 'set it to x',
      b: 'change it back to 2',
      c: 'change it back to true'
    })
  })

  it('is told without the value where that is no short text', async () => {
    const [short, long] = ['x'.repeat(120), 'x'.repeat(121)]
    expect(await installs({ short, long, lines: 'a\nb', list: ['a'] }, {})).toEqual({
      short: `set it to ${short}`,
      long: 'set it',
      lines: 'set it',
      list: 'set it'
    })
    expect(await installs({ map: { a: 1 } }, { map: 'x' })).toEqual({ map: 'change it back' })
  })

  it('is to change what is wanted otherwise by now', async () => {
    expect(await installs({ a: 2 }, { a: 1 }, { recorded: { a: 1 } })).toEqual({ a: 'change it to 2' })
  })

  it('is to refuse what must not be touched, with the reason', async () => {
    const refusal = new UserError('Role x', "is eksctl's", 'Name another one.')
    expect(await installs({ a: 2 }, { a: 1 }, { refusal })).toEqual({ a: "refuse: Role x: is eksctl's" })
  })

  it.each<[string, Partial<Difference>, string]>([
    ['is to remove what is not wanted', { wanted: undefined }, 'remove it'],
    ['is nothing to what is neither', { wanted: undefined, live: undefined }, 'leave it'],
    ['is what the difference itself says', { install: 'make the pod anew' }, 'make the pod anew']
  ])('%s', async (_what, said, install) => {
    const difference: Difference = {
      path: 'a',
      wanted: 1,
      live: 2,
      reason: 'differs',
      severity: 'cosmetic',
      ...said
    }
    const graph = new Graph([textResource('a', [], new Map([['a', 'x']]), { differences: [difference] })])
    expect(findingsOf(graph, await inspectAll(graph, signal), undefined)).toMatchObject([{ install }])
  })

  it('is told with what depends on it, and with who made it so, where these are known', async () => {
    const difference: Difference = {
      path: 'a',
      wanted: 1,
      live: 2,
      reason: 'differs',
      severity: 'cosmetic'
    }
    const more = { effect: 'nobody', by: { manager: 'kubectl-edit' } }
    const graph = new Graph([
      textResource('a', [], new Map([['a', 'x']]), {
        differences: [difference, { ...difference, path: 'b', ...more }]
      })
    ])
    const [plain, known] = findingsOf(graph, await inspectAll(graph, signal), undefined)
    expect(known).toMatchObject(more)
    expect(Object.keys(plain ?? {})).not.toEqual(expect.arrayContaining(['effect']))
    expect(Object.keys(plain ?? {})).not.toEqual(expect.arrayContaining(['by']))
  })
})

describe('healthFindings', () => {
  const of = { id: 'a', title: 'Text a', layer: 'kubernetes' } as const
  const ailment = {
    path: 'status.availableReplicas',
    wanted: 2,
    live: 0,
    reason: 'no pod is ready',
    severity: 'breaks scaling',
    fix: 'Look at its events.'
  } as const

  it('are what does not work, what install does about it, and what to do now', () => {
    const mended = { ...ailment, install: 'make the pod anew' }
    const { fix, ...said } = ailment
    expect(healthFindings(of, { ailments: [ailment, mended], unread: [] })).toEqual([
      { kind: 'unhealthy', ...of, ...said, recorded: undefined, install: `not mend it. ${fix}` },
      { kind: 'unhealthy', ...of, ...said, recorded: undefined, install: `make the pod anew. ${fix}` }
    ])
  })

  it('are unknown where it cannot be told, with the missing permission', () => {
    const unread = [{ reason: 'access denied', missingPermission: 'list pods' }]
    expect(healthFindings(of, { ailments: [], unread })).toEqual([
      {
        kind: 'unknown',
        ...of,
        path: '',
        severity: 'cosmetic',
        reason: 'whether it works cannot be told: access denied',
        install: 'go on without it',
        missingPermission: 'list pods'
      }
    ])
  })
})
