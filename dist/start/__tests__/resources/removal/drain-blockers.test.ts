import type { Pod } from 'kubernetes-types/core/v1.js'
import type { Manifest } from '../../../src/kubernetes/manifest.js'
import { blockersText, drainBlockers, type Blocker } from '../../../src/resources/removal/drain-blockers.js'

const now = Date.parse('2026-01-01T12:00:00Z')

function pod(
  name: string,
  more: { metadata?: Pod['metadata']; spec?: Partial<Pod['spec']>; status?: Pod['status'] } = {}
): Pod {
  return {
    metadata: { name, namespace: 'default', labels: { app: 'web' }, ...more.metadata },
    spec: { nodeName: 'ip-10-0-1-2', containers: [], ...more.spec },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], ...more.status }
  }
}

function budget(name: string, status: Record<string, unknown>, spec: Record<string, unknown> = {}): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
    status
  }
}

const exhausted = { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 }

function found(pods: readonly Pod[], budgets: readonly Manifest[] = []): readonly Blocker[] {
  return drainBlockers({ nodes: new Set(['ip-10-0-1-2']), pods, budgets, since: now - 60_000, now })
}

test('a pod whose budget is used up is named with the budget and its numbers', () => {
  const [blocker, ...others] = found([pod('web-1')], [budget('web', exhausted)])
  expect(others).toEqual([])
  expect(blocker).toMatchObject({
    pod: 'default/web-1',
    kind: 'budget',
    why: 'on ip-10-0-1-2: PodDisruptionBudget web allows no disruption (disruptionsAllowed 0: 1 of 1 healthy, 1 needed)'
  })
  expect(blocker?.fix).toContain('PodDisruptionBudget default/web')
})

test('a budget blocks only pods that it selects, in its namespace, while it allows nothing', () => {
  expect(found([pod('web-1')], [budget('web', { ...exhausted, disruptionsAllowed: 1 })])).toEqual([])
  expect(found([pod('db-1', { metadata: { labels: { app: 'db' } } })], [budget('web', exhausted)])).toEqual(
    []
  )
  expect(found([pod('web-1', { metadata: { namespace: 'other' } })], [budget('web', exhausted)])).toEqual([])
  const expressions = [
    { key: 'app', operator: 'In', values: ['web', 'api'] },
    { key: 'canary', operator: 'DoesNotExist' }
  ]
  const selecting = budget('web', exhausted, { selector: { matchExpressions: expressions } })
  expect(found([pod('web-1')], [selecting])).toHaveLength(1)
  expect(found([pod('web-1', { metadata: { labels: { app: 'web', canary: '' } } })], [selecting])).toEqual([])
})

test('a pod that is not ready is evicted as unhealthyPodEvictionPolicy says', () => {
  const broken = pod('web-1', { status: { conditions: [{ type: 'Ready', status: 'False' }] } })
  const short = { ...exhausted, currentHealthy: 0 }
  expect(found([broken], [budget('web', short)])).toHaveLength(1)
  expect(found([broken], [budget('web', exhausted)])).toEqual([])
  expect(found([broken], [budget('web', short, { unhealthyPodEvictionPolicy: 'AlwaysAllow' })])).toEqual([])
})

test('a pod under two budgets can never be evicted', () => {
  const [blocker] = found([pod('web-1')], [budget('a', exhausted), budget('b', { disruptionsAllowed: 1 })])
  expect(blocker?.why).toContain('PodDisruptionBudgets a and b both select it')
})

test('do-not-disrupt blocks for ever as true, and for as long as a duration says', () => {
  const annotated = (value: string, startTime: string): Pod =>
    pod('db-0', {
      metadata: { annotations: { 'karpenter.sh/do-not-disrupt': value } },
      status: { phase: 'Running', startTime }
    })
  expect(found([annotated('true', '2026-01-01T00:00:00Z')])[0]).toMatchObject({ kind: 'do-not-disrupt' })
  expect(found([annotated('1h', '2026-01-01T11:30:00Z')])).toHaveLength(1)
  expect(found([annotated('1h', '2026-01-01T10:30:00Z')])).toEqual([])
  expect(found([annotated('soon', '2026-01-01T11:59:00Z')])).toEqual([])
})

test('a pod that ends is named while much of its grace period is left, and when that is over', () => {
  const ending = (deletionTimestamp: string): readonly Blocker[] =>
    found([pod('web-1', { metadata: { deletionTimestamp, deletionGracePeriodSeconds: 3600 } })])
  expect(ending('2026-01-01T12:50:00Z')[0]?.why).toContain('has 3000 s left of its grace period of 3600 s')
  expect(ending('2026-01-01T12:00:05Z')).toEqual([])
  expect(ending('2026-01-01T11:59:40Z')[0]?.why).toContain('has not ended within its grace period')
  expect(ending('2026-01-01T11:58:00Z')).toEqual([])
})

test('pods for which Karpenter does not wait block nothing', () => {
  const tolerations = [{ key: 'karpenter.sh/disrupted', operator: 'Exists' as const }]
  const protectedToo = { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } }
  const nodeOwned = [{ apiVersion: 'v1', kind: 'Node', name: 'ip-10-0-1-2', uid: '1' }]
  expect(
    found([
      pod('daemon', { metadata: protectedToo, spec: { tolerations } }),
      pod('everything', { metadata: protectedToo, spec: { tolerations: [{ operator: 'Exists' }] } }),
      pod('static', { metadata: { ...protectedToo, ownerReferences: nodeOwned } }),
      pod('done', { metadata: protectedToo, status: { phase: 'Succeeded' } }),
      pod('elsewhere', { metadata: protectedToo, spec: { nodeName: 'ip-10-0-9-9' } })
    ])
  ).toEqual([])
  expect(
    found([
      pod('other', { metadata: protectedToo, spec: { tolerations: [{ key: 'x', operator: 'Exists' }] } })
    ])
  ).toHaveLength(1)
})

test('evicted pods that find no other node are named with the words of the scheduler', () => {
  const pending = (creationTimestamp: string): Pod =>
    pod('web-2', {
      metadata: { creationTimestamp },
      spec: { nodeName: '' },
      status: {
        phase: 'Pending',
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/2 nodes are available'
          }
        ]
      }
    })
  expect(found([pending('2026-01-01T11:59:30Z')])).toEqual([
    {
      pod: 'default/web-2',
      kind: 'no capacity',
      why: 'is Pending, no other node takes it: 0/2 nodes are available',
      fix: 'add capacity that is not of these NodePools, or scale the workload down'
    }
  ])
  expect(found([pending('2026-01-01T11:00:00Z')])).toEqual([])
})

test('a long list is cut in a line, and says so', () => {
  const blockers = found([pod('web-1'), pod('web-2'), pod('web-3')], [budget('web', exhausted)])
  expect(blockersText(blockers, 2)).toMatch(/^default\/web-1 on .+; default\/web-2 on .+ and 1 more$/)
})
