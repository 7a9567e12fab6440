import { DrainedPods } from '../../../src/resources/removal/drained-pods.js'
import { ApiServer } from '../../kubernetes/api-server.js'

/** Two drains. */
const [a, b] = [{}, {}]
let server: ApiServer
let drained: DrainedPods
beforeEach(async () => {
  server = await ApiServer.start()
  drained = new DrainedPods(server.kubernetes, new AbortController().signal)
})
afterEach(async () => {
  await drained.close()
  await server.stop()
})

function pod(
  name: string,
  nodeName: string | undefined,
  status: Readonly<Record<string, unknown>> = {}
): void {
  server.put(`/api/v1/namespaces/default/pods/${name}`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', managedFields: [{ manager: 'kubelet' }] },
    spec: { ...(nodeName !== undefined && { nodeName }), containers: [{ name: 'app', image: 'app' }] },
    status: { phase: 'Running', ...status, containerStatuses: [{ name: 'app' }] }
  })
}

const namesOn = (node: string): readonly (string | undefined)[] =>
  drained.on(node).map(({ metadata }) => metadata?.name)
const nodes = (count: number, from = 0): readonly string[] =>
  Array.from({ length: count }, (_, index) => `node-${from + index}`)
const lists = (): number => server.calls.filter(({ query }) => query.get('watch') === null).length

async function until(seen: () => boolean): Promise<void> {
  while (!seen()) await new Promise((resolve) => setImmediate(resolve))
}

test('pods of many nodes cost one list and one watch, whichever drains ask for them', async () => {
  for (const node of nodes(30)) pod(`pod-of-${node}`, node)
  pod('elsewhere', 'other')
  await Promise.all([drained.follow(a, nodes(20)), drained.follow(b, nodes(10, 20))].map(async (one) => one))
  expect(nodes(30).map(namesOn)).toEqual(nodes(30).map((node) => [`pod-of-${node}`]))
  expect(namesOn('other')).toEqual([])
  expect(lists()).toBeLessThanOrEqual(2)
  const asked = lists()
  await drained.follow(a, nodes(10, 5))
  expect(lists()).toBe(asked)
})

test('what comes to a node, and goes from it, is known by the watch', async () => {
  await drained.follow(a, ['node-0'])
  await until(() => server.watching > 0)
  pod('late', 'node-0')
  await until(() => namesOn('node-0').length === 1)
  server.remove('/api/v1/namespaces/default/pods/late')
  await until(() => namesOn('node-0').length === 0)
  expect(lists()).toBe(1)
})

test('of pods without a node those are known that none has room for', async () => {
  const unschedulable = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }]
  pod('waits', undefined, { phase: 'Pending', conditions: unschedulable })
  pod('new', undefined, { phase: 'Pending' })
  await drained.follow(a, ['node-0'])
  expect(drained.withoutRoom.map(({ metadata }) => metadata?.name)).toEqual(['waits'])
})

test('a pod is kept without what runs in it', async () => {
  pod('web', 'node-0')
  await drained.follow(a, ['node-0'])
  const [kept] = drained.on('node-0')
  expect(kept).toMatchObject({ spec: { containers: [] }, status: { phase: 'Running' } })
  expect(kept?.metadata).not.toHaveProperty('managedFields')
  expect(kept?.status).not.toHaveProperty('containerStatuses')
})

test('of hundreds of nodes the next ones follow when most of the first are gone', async () => {
  await drained.follow(a, nodes(200))
  expect(nodes(200).filter((node) => drained.isFollowed(node))).toHaveLength(50)
  await drained.follow(a, nodes(180, 20))
  expect(lists()).toBe(1)
  await drained.follow(a, nodes(155, 45))
  expect(lists()).toBe(2)
  expect(nodes(50, 45).every((node) => drained.isFollowed(node))).toBe(true)
  drained.done(a)
  await drained.follow(b, [])
  expect(lists()).toBe(2)
})
