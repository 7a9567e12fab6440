import { tableFacts } from '../../src/karpenter/version-facts.js'
import { termsOf } from '../../src/adoption/terms.js'
import { missing } from '../../src/engine/difference.js'
import { Graph } from '../../src/engine/graph.js'
import type { Owner } from '../../src/engine/owner.js'
import type { Sign } from '../../src/engine/standing.js'
import { type InstallRecord, parseRecord } from '../../src/engine/record.js'
import { type AnyResource, type Inspection, resource } from '../../src/engine/resource.js'
import type { Discovery } from '../../src/plan/discovery.js'
import { readRecord } from '../../src/kubernetes/record-store.js'
import { textField } from '../../src/kubernetes/manifest.js'
import { keepRecord, type RecordKeeper, withLock } from '../../src/plan/record-keeper.js'
import { smokeTestId } from '../../src/smoke-test/objects.js'
import { factsOf } from '../adoption/found.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { containing } from '../kubernetes/containing.js'
import { type LocalRun, localRun } from '../local-run.js'

let server: ApiServer
let local: LocalRun
beforeEach(async () => {
  server = await ApiServer.start()
  local = localRun()
})
afterEach(async () => {
  local.end()
  await server.stop()
})

const eksctl: Owner = { kind: 'other', who: 'eksctl', evidence: ['tag alpha.eksctl.io/cluster-name=blue'] }

function signOf(id: string, owner: Owner | undefined): Sign<string> {
  if (/^(policy\/|queue$)/.test(id)) return { by: 'whole', whole: 'stack' }
  return owner === undefined ? { by: 'record' } : { by: 'mark', mark: () => owner }
}

/** A part of the model that is there or not, and that bears its owner's mark or none. */
function part(id: string, is: 'there' | 'absent', owner?: Owner): AnyResource {
  return resource<string, string>(
    {
      id,
      layer: 'iam',
      title: id,
      dependsOn: [],
      wanted: `wanted ${id}`,
      read: async () => (is === 'there' ? { state: 'present', value: id } : { state: 'absent' }),
      compare: () => [],
      absent: (wanted) => [missing(id, wanted)],
      apply: async () => undefined,
      sign: signOf(id, owner),
      remove: async () => ({ outcome: 'absent' })
    },
    (value) => typeof value === 'string'
  )
}

function adopted(): NonNullable<Discovery['adopted']> {
  const terms = termsOf(factsOf({}))
  if (terms.kind !== 'compatible') throw new Error(JSON.stringify(terms.objections))
  return terms.adopted
}

async function keeperOf(
  parts: readonly AnyResource[],
  found: { readonly record?: InstallRecord | undefined; readonly adopts: boolean }
): Promise<RecordKeeper> {
  const graph = new Graph(parts)
  const inspections = new Map<string, Inspection>()
  for (const one of graph.resources) inspections.set(one.id, await one.inspect(local.run.signal))
  return keepRecord(local.run, {
    found: {
      kubernetes: server.kubernetes,
      cluster: { kubernetesVersion: '1.35' },
      record: found.record,
      ...(found.adopts && { adopted: adopted() })
    },
    decisions: { version: '1.14.0', facts: tableFacts('1.14.0'), provedChart: undefined },
    graph,
    inspections
  })
}

async function recorded(): Promise<InstallRecord> {
  const stored = await readRecord(server.kubernetes)
  const record = stored.state === 'present' ? parseRecord(stored.text) : undefined
  if (record === undefined) throw new Error(`record: ${stored.state}`)
  return record
}

async function takenOver(): Promise<readonly string[]> {
  const { resources } = await recorded()
  return Object.entries(resources).flatMap(([id, entry]) => (entry.adopted === true ? [id] : []))
}

describe('keepRecord', () => {
  it('takes over what is there and nobody else keeps, and says so before the first write', async () => {
    const parts = [part('helm-release', 'there'), part('node-pool/default', 'absent')]
    const keeper = await keeperOf([...parts, part('controller-role', 'there', eksctl)], { adopts: true })
    await keeper.ahead()
    expect(await takenOver()).toEqual(['helm-release'])
    await keeper.installed()
    expect(await takenOver()).toEqual(['helm-release'])
    const { adoption, resources } = await recorded()
    expect(adoption).toEqual(adopted().adoption)
    expect(resources).toEqual({
      'helm-release': { before: ['helm-release'], adopted: true, wanted: 'wanted helm-release' },
      'node-pool/default': { before: [], wanted: 'wanted node-pool/default' },
      'controller-role': { before: ['controller-role'], wanted: 'wanted controller-role' }
    })
  })

  it('leaves the parts of a stack to whoever keeps the stack, though they bear no mark of it', async () => {
    const parts = [part('stack', 'there', eksctl), part('policy/Read-blue', 'there'), part('queue', 'there')]
    const keeper = await keeperOf([...parts, part('helm-release', 'there')], { adopts: true })
    await keeper.installed()
    expect(await takenOver()).toEqual(['helm-release'])
  })

  it('takes over later nothing that is new in the model, and keeps what was taken over', async () => {
    await (await keeperOf([part('helm-release', 'there')], { adopts: true })).installed()
    const parts = [part('helm-release', 'there'), part('node-pool/theirs', 'there')]
    const later = await keeperOf(parts, { adopts: true, record: await recorded() })
    await later.ahead()
    await later.installed()
    expect(await takenOver()).toEqual(['helm-release'])
    expect((await recorded()).resources['node-pool/theirs']).toEqual({
      before: ['node-pool/theirs'],
      wanted: 'wanted node-pool/theirs'
    })
  })

  it('takes over after an install of its own what that run had found and not made', async () => {
    await (await keeperOf([part('stack', 'absent')], { adopts: false })).installed()
    const parts = [part('stack', 'there'), part('helm-release', 'there')]
    await (await keeperOf(parts, { adopts: true, record: await recorded() })).installed()
    expect(await takenOver()).toEqual(['helm-release'])
    expect((await recorded()).resources['stack']?.before).toEqual([])
  })

  it('takes over nothing where no adoption was asked for', async () => {
    const keeper = await keeperOf([part('helm-release', 'there')], { adopts: false })
    await keeper.installed()
    expect(await takenOver()).toEqual([])
    expect((await recorded()).adoption).toBeUndefined()
  })

  it('remembers a smoke test until something changes', async () => {
    const keeper = await keeperOf([part('stack', 'there')], { adopts: false })
    await keeper.proved()
    expect((await recorded()).smokeTest?.time).toBe((await recorded()).time)
    await keeper.installed()
    expect((await recorded()).smokeTest).toBeUndefined()
  })
})

describe('withLock', () => {
  const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/setup-karpenter'
  const holder = (): string | undefined => textField(server.at(lease), 'spec', 'holderIdentity')
  const runOf7 = 'https://github.com/org/repo/actions/runs/7'
  const forPost = (): unknown => JSON.parse(local.state('cleanup'))

  it('holds the lock while it works, tells post of a smoke test once there is one, and leaves it nothing in the end', async () => {
    const during: unknown[] = []
    await withLock(local.run, server.kubernetes, async ({ smokeTestBegins }) => {
      during.push(holder(), forPost())
      smokeTestBegins()
      during.push(forPost())
    })
    const held = containing(`${runOf7}#`)
    const cleanup = { clusterName: 'blue', region: 'eu-west-1', namespace: 'karpenter', lockHolder: held }
    expect(during).toEqual([held, cleanup, { ...cleanup, smokeTestRun: smokeTestId(runOf7) }])
    expect([holder(), local.state('cleanup')]).toEqual(['', ''])
  })

  it('gives the lock back when the work fails, the Lease itself too only when the work is done', async () => {
    const failing = withLock(
      local.run,
      server.kubernetes,
      async () => {
        throw new Error('the stack rolled back')
      },
      'remove'
    )
    await expect(failing).rejects.toThrow('the stack rolled back')
    expect([holder(), local.state('cleanup')]).toEqual(['', ''])
    await withLock(local.run, server.kubernetes, async () => undefined, 'remove')
    expect(server.at(lease)).toBeUndefined()
  })

  it('leaves the lock to post when the run is cancelled', async () => {
    const cancelled = withLock(local.run, server.kubernetes, async () => {
      local.run.abort(new Error('cancelled'))
      local.run.signal.throwIfAborted()
    })
    await expect(cancelled).rejects.toThrow('cancelled')
    expect(holder()).toContain(`${runOf7}#`)
    expect(forPost()).toMatchObject({ lockHolder: holder() })
  })
})
