import { nodeClaims, nodes } from '../../src/kubernetes/kinds.js'
import { View } from '../../src/kubernetes/view.js'
import { RemovalView } from '../../src/resources/removal/removal-view.js'
import { scaleDown } from '../../src/smoke-test/scale-down.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { Turns } from '../../src/smoke-test/took.js'
import { recordedStep } from '../resources/step.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

const claimPath = '/apis/karpenter.sh/v1/nodeclaims/smoke-1'

/** A NodeClaim that ends, and on its node a pod of somebody else's that tolerates everything. */
function endingWith(annotations: Readonly<Record<string, string>>): void {
  server.put(claimPath, {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: {
      name: 'smoke-1',
      deletionTimestamp: '2026-11-30T08:00:00Z',
      labels: { 'karpenter.sh/nodepool': 'smoke' }
    },
    status: {
      nodeName: 'ip-1',
      conditions: [{ type: 'Drained', status: 'Unknown', reason: 'Draining', message: 'draining 1 pods' }]
    }
  })
  server.put('/api/v1/namespaces/default/pods/job', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'job', namespace: 'default', annotations },
    spec: { nodeName: 'ip-1' },
    status: { phase: 'Running' }
  })
}

async function scaledDown(step: ReturnType<typeof recordedStep>): Promise<unknown> {
  const view = new View(server.kubernetes, step.signal)
  try {
    return await scaleDown(
      server.kubernetes,
      view,
      {
        subject: 'smoke test of NodePool default',
        id: 'run-1',
        namespace: 'karpenter',
        timeoutSeconds: 3_600,
        before: new Set(),
        nodes: await view.follow(nodes, {}),
        claims: await view.follow(nodeClaims, {}),
        instanceIds: () => [],
        instanceStates: async () => new Map(),
        drains: new RemovalView(server.kubernetes),
        turns: new Turns(() => step.now())
      },
      step
    )
  } finally {
    await view.close()
  }
}

test('says what a NodeClaim that ends is waiting for', async () => {
  endingWith({})
  const step = recordedStep()
  const waiting = (what: string | undefined): void => {
    step.waiting(what)
    if (what !== undefined) server.remove(claimPath)
  }
  await scaledDown({ ...step, waiting })
  expect(step.waits[0]).toBe(
    'scale-down: 1 NodeClaims (1 ending) and 0 nodes are left: Drained=Unknown (Draining): draining 1 pods'
  )
})

test('ends when the same pod has blocked the drain for three minutes, which no waiting helps', async () => {
  endingWith({ 'karpenter.sh/do-not-disrupt': 'true' })
  let now = Date.parse('2026-11-30T08:00:00Z')
  const step = recordedStep(() => (now += 10_000))
  await expect(scaledDown(step)).rejects.toThrow(
    /1 NodeClaims and 0 nodes of it were left \d+ s after scaling to zero: default\/job on ip-1: carries karpenter\.sh\/do-not-disrupt$/
  )
  expect(step.waits.at(-1)).toContain(': default/job on ip-1: carries karpenter.sh/do-not-disrupt')
})

test('deletes the NodePool under what Karpenter does not consolidate, and waits until its nodes are gone', async () => {
  const pool = '/apis/karpenter.sh/v1/nodepools/smoke-test-run-1'
  server.put(pool, { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata: {}, spec: {} })
  server.put(claimPath, {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: { name: 'smoke-1', labels: { 'karpenter.sh/nodepool': 'smoke' } },
    status: {}
  })
  let now = Date.parse('2026-11-30T08:00:00Z')
  const step = recordedStep(() => (now += 10_000))
  const waits: string[] = []
  const waiting = (what: string | undefined): void => {
    // It goes only after its NodePool has been seen to be gone.
    if (what === undefined || server.at(pool) !== undefined) return
    waits.push(what)
    server.remove(claimPath)
  }
  expect(await scaledDown({ ...step, waiting })).toMatchObject({ scaleDown: 'by deleting the NodePool' })
  expect(step.lines).toEqual([expect.stringMatching(/not consolidated within 120 s; deleting its NodePool$/)])
  expect(waits).toHaveLength(1)
  expect(server.at(claimPath)).toBeUndefined()
})
