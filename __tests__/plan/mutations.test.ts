import type { Difference } from '../../src/engine/difference.js'
import type { Finding } from '../../src/engine/findings.js'
import type { Mutation } from '../../src/engine/record.js'
import { type AnyResource, type Inspection, resource } from '../../src/engine/resource.js'
import { mutatorsOf } from '../../src/kubernetes/mutators.js'
import { asKept, mutatorsOfDrift, type ReadBack, readBack, withMutators } from '../../src/plan/mutations.js'
import { ApiServer, status } from '../kubernetes/api-server.js'
import { recordWith } from './inspections.js'

const { signal } = new AbortController()
let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

const hooks = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'
const nameOf = (hook: string): string => `MutatingWebhookConfiguration ${hook}`

/** A webhook for objects of these kinds, those with a label alone where one is given. */
function hook(
  name: string,
  resources: readonly string[],
  matchLabels?: Readonly<Record<string, string>>
): void {
  const rules = [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources }]
  const selector = matchLabels === undefined ? {} : { objectSelector: { matchLabels } }
  server.put(`${hooks}/${name}`, { webhooks: [{ rules, ...selector }] })
}

const difference = (path: string, live: unknown = 'theirs'): Difference => ({
  path,
  wanted: 'ours',
  live,
  reason: `${path} is "${String(live)}", not "ours"`,
  severity: 'changes behaviour'
})

/** A resource that is there and differs so. */
function part(id: string, title: string, wanted: unknown, differences: readonly Difference[]): AnyResource {
  return resource<unknown, string>(
    {
      id,
      layer: 'kubernetes',
      title,
      dependsOn: [],
      wanted,
      read: async () => ({ state: 'present', value: 'there' }),
      compare: () => differences,
      absent: () => [],
      apply: async () => undefined,
      sign: { by: 'record' },
      remove: async () => ({ outcome: 'absent' })
    },
    (value): value is unknown => value !== undefined
  )
}
const release = (...paths: readonly string[]): AnyResource =>
  part(
    'helm-release',
    'Helm release karpenter',
    { namespace: 'system' },
    paths.map((path) => difference(path))
  )
const pool = (...differences: readonly Difference[]): AnyResource =>
  part(
    'node-pool/default',
    'NodePool default',
    { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata: { name: 'default' } },
    differences
  )
const namespace = part('namespace', 'Namespace system', { name: 'system' }, [difference('metadata.labels.a')])
const stack = part('stack', 'CloudFormation stack Karpenter-blue', { name: 'Karpenter-blue' }, [
  difference('template')
])

async function back(...written: readonly AnyResource[]): Promise<ReadBack> {
  const { kubernetes } = server
  return readBack(written, { kubernetes, mutators: (await mutatorsOf(kubernetes)) ?? [], signal })
}

describe('what came back of a write otherwise', () => {
  const replicas = 'Deployment/karpenter.spec.replicas'

  test.each([
    {
      what: 'the release',
      written: release(replicas),
      of: 'deployments',
      path: replicas,
      way: 'give the same value in helm-values.'
    },
    {
      what: 'a NodePool',
      written: pool(difference('spec.weight')),
      of: 'nodepools',
      path: 'spec.weight',
      way: 'write the same value in node-pools.'
    },
    {
      what: 'the namespace',
      written: namespace,
      of: 'namespaces',
      path: 'metadata.labels.a',
      way: 'write the same value in node-pools.'
    }
  ])('of $what is told with what changes it, and how to have it otherwise', async (row) => {
    const { written, of, path, way } = row
    hook('one', [of])
    hook('two', [of])
    const by = [nameOf('one'), nameOf('two')]
    const { mutated, warnings } = await back(written)
    expect(mutated.get(written.id)).toMatchObject([{ path, by }])
    expect(warnings).toEqual([
      `${written.title}: ${path} is "theirs", not "ours", though it was written so: ${by.join(' or ')} changes it as it is written. The next runs leave it at that. To have it as wanted, leave this object out of its rules (kubectl edit ${nameOf('one')}) or of the policy behind it; to go along with it, ${way}`
    ])
  })

  test('is nothing where no webhook is for such an object', async () => {
    hook('others', ['pods'])
    hook('labelled', ['nodepools'], { team: 'a' })
    server.put('/apis/karpenter.sh/v1/nodepools/default', {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { labels: { team: 'b' } }
    })
    const { mutated, warnings } = await back(pool(difference('spec.weight')), namespace, stack)
    expect([...mutated]).toEqual([
      ['node-pool/default', []],
      ['namespace', []]
    ])
    expect(warnings).toEqual([])
  })

  test('is told by the labels that the object has', async () => {
    hook('labelled', ['nodepools'], { team: 'a' })
    server.put('/apis/karpenter.sh/v1/nodepools/default', {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { labels: { team: 'a' } }
    })
    expect((await back(pool(difference('spec.weight')))).warnings).toHaveLength(1)
  })

  test('of the release is told of its own object, and of no field that is of none', async () => {
    hook('accounts', ['serviceaccounts'])
    const { mutated } = await back(
      release(replicas, 'ServiceAccount/own.metadata.labels.a', 'values.replicas')
    )
    expect(mutated.get('helm-release')?.map(({ path }) => path)).toEqual([
      'ServiceAccount/own.metadata.labels.a'
    ])
    const asked = server.calls.filter(({ path }) => path.endsWith('/own')).map(({ path }) => path)
    expect(asked).toEqual(['/api/v1/namespaces/system/serviceaccounts/own'])
  })
})

const inspectionsOf = async (...parts: readonly AnyResource[]): Promise<ReadonlyMap<string, Inspection>> =>
  new Map(await Promise.all(parts.map(async (one) => [one.id, await one.inspect(signal)] as const)))

describe('a difference that an install has seen come back', () => {
  const weight = difference('spec.weight')

  /** As the webhooks that stand now were seen to change it. */
  const seen = async (...differences: readonly Difference[]): Promise<readonly Mutation[]> =>
    (await back(pool(...differences))).mutated.get('node-pool/default') ?? []
  const kept = async (
    mutated: readonly Mutation[],
    ...differences: readonly Difference[]
  ): Promise<Inspection | undefined> => {
    const inspections = await inspectionsOf(pool(...differences), namespace)
    const record = recordWith([], {
      resources: { 'node-pool/default': { before: [], wanted: {}, mutated } }
    })
    const all = await asKept(inspections, { record, kubernetes: server.kubernetes }, signal)
    expect(all.get('namespace')).toBe(inspections.get('namespace'))
    return all.get('node-pool/default')
  }

  test('is none to the next run, which says so', async () => {
    hook('one', ['nodepools'])
    hook('two', ['nodepools'])
    const now = await kept(await seen(weight), weight)
    expect(now).toMatchObject({ state: 'as wanted', differences: [] })
    expect(now?.against({})).toEqual([])
    expect(now?.notes).toEqual([
      `spec.weight is "theirs", not "ours": ${nameOf('one')} or ${nameOf('two')} keeps it so, and no install changes that`
    ])
  })

  test.each<[string, Difference, readonly Difference[]]>([
    ['beside another one', weight, [weight, difference('spec.limits.cpu')]],
    ['and has another value now', weight, [difference('spec.weight', 'other')]],
    ['and is gone now', difference('spec.weight'), [{ ...weight, live: undefined }]]
  ])('%s, leaves the rest as different as ever', async (_what, before, differences) => {
    hook('one', ['nodepools'])
    const now = await kept(await seen(before), ...differences)
    const left = differences.filter((one) => one !== weight)
    expect(now).toMatchObject({ state: 'differs', differences: left })
    expect(now?.against({})).toEqual(left)
    expect(now?.notes ?? []).toHaveLength(differences.length - left.length)
  })

  test.each([
    ['one of two that did it is gone', ['one'], 'as wanted'],
    ['both are gone', ['one', 'two'], 'differs']
  ])('is one again only when all that did it are gone: %s', async (_what, gone, state) => {
    hook('one', ['nodepools'])
    hook('two', ['nodepools'])
    const mutated = await seen(weight)
    for (const name of gone) server.remove(`${hooks}/${name}`)
    expect((await kept(mutated, weight))?.state).toBe(state)
  })

  test('is none where webhooks may not be listed', async () => {
    hook('one', ['nodepools'])
    const mutated = await seen(weight)
    server.intercept = ({ path }, response) => {
      if (path !== hooks) return false
      status(response, 403, 'Forbidden', 'User "x" cannot list resource "mutatingwebhookconfigurations"')
      return true
    }
    expect((await kept(mutated, weight))?.state).toBe('as wanted')
  })

  test('is looked for nowhere where the record knows of none', async () => {
    const inspections = await inspectionsOf(pool(weight))
    for (const record of [undefined, recordWith(['node-pool/default'])])
      expect(await asKept(inspections, { record, kubernetes: server.kubernetes }, signal)).toBe(inspections)
    expect(server.calls).toEqual([])
  })
})

describe('for what has drifted', () => {
  const drift: Finding = {
    kind: 'drift',
    id: 'node-pool/default',
    title: 'NodePool default',
    layer: 'kubernetes',
    recorded: undefined,
    install: 'change it back to "ours"',
    ...difference('spec.weight')
  }

  test('a check promises no more than the webhooks let it', async () => {
    hook('one', ['nodepools'])
    hook('two', ['nodepools'])
    const inspections = await inspectionsOf(pool(difference('spec.weight')), stack)
    const mutators = await mutatorsOfDrift(inspections, server.kubernetes, signal)
    expect(mutators.size).toBe(1)
    expect(withMutators(drift, mutators).install).toBe(
      `change it back to "ours"; it may not stay so, because ${nameOf('one')} and ${nameOf('two')} may change the object as it is written`
    )
    for (const other of [
      { ...drift, kind: 'pending' as const },
      { ...drift, path: 'spec.limits.cpu' }
    ])
      expect(withMutators(other, mutators)).toBe(other)
  })

  test('it asks for none where nothing differs that one could change', async () => {
    hook('one', ['*'])
    const inspections = await inspectionsOf(pool(), stack)
    expect(await mutatorsOfDrift(inspections, server.kubernetes, signal)).toEqual(new Map())
    expect(server.calls).toEqual([])
  })

  test('it promises as ever where they are for other objects, or may not be listed', async () => {
    hook('others', ['pods'])
    const inspections = await inspectionsOf(pool(difference('spec.weight')))
    expect(await mutatorsOfDrift(inspections, server.kubernetes, signal)).toEqual(new Map())
    server.intercept = (_call, response) => {
      status(response, 403, 'Forbidden', 'User "x" cannot list resource "mutatingwebhookconfigurations"')
      return true
    }
    expect(await mutatorsOfDrift(inspections, server.kubernetes, signal)).toEqual(new Map())
  })
})
