import type { Manifest } from '../../../src/kubernetes/manifest.js'
import { DrainWatch } from '../../../src/resources/removal/drain-watch.js'
import { RemovalView } from '../../../src/resources/removal/removal-view.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { recordedStep } from '../step.js'

let cluster: ApiServer
beforeEach(async () => {
  cluster = await ApiServer.start()
})
afterEach(async () => cluster.stop())

function claim(
  node: string,
  { ends = true, ...conditions }: { readonly ends?: boolean; readonly [type: string]: unknown } = {}
): Manifest {
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: { name: `claim-of-${node}`, ...(ends && { deletionTimestamp: '2026-01-01T00:00:00Z' }) },
    status: {
      nodeName: node,
      conditions: Object.entries(conditions).map(([type, status]) => ({ type, status }))
    }
  }
}

function protectedPod(node: string): void {
  const annotations = { 'karpenter.sh/do-not-disrupt': 'true' }
  cluster.put(`/api/v1/namespaces/default/pods/pod-of-${node}`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', annotations },
    spec: { nodeName: node, containers: [{ name: 'app', image: 'app' }] },
    status: { phase: 'Running' }
  })
}

async function watching<R>(looks: (watch: DrainWatch) => Promise<R>): Promise<R> {
  return new RemovalView(cluster.kubernetes).use(recordedStep(), async (watched) => {
    const watch = new DrainWatch(watched, 0)
    try {
      return await looks(watch)
    } finally {
      watch.close()
    }
  })
}

const blockersOf = (watch: DrainWatch): readonly string[] => watch.blockers(0).map(({ pod }) => pod)
const asked = (path: string): number =>
  cluster.calls.filter((call) => call.path.includes(path) && call.query.get('watch') === null).length

test('VolumeAttachments are looked at once a NodeClaim waits for them, and not before', async () => {
  const attachment = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    spec: { attacher: 'ebs.csi.aws.com', nodeName: 'a', source: { persistentVolumeName: 'pvc-1' } }
  }
  cluster.put('/apis/storage.k8s.io/v1/volumeattachments/csi-a', attachment)
  const seen = async (one: Manifest): Promise<readonly string[]> =>
    watching(async (watch) => {
      await watch.look([one])
      return blockersOf(watch)
    })
  expect(await seen(claim('a', { Drained: 'False', VolumesDetached: 'Unknown' }))).toEqual([])
  expect(asked('volumeattachments')).toBe(0)
  expect(await seen(claim('a', { Drained: 'True', VolumesDetached: 'False' }))).toEqual([
    'VolumeAttachment csi-a'
  ])
})

test('NodeClaims that end one after the other cost one list of pods, and only what ends is blocked', async () => {
  for (const node of ['a', 'b', 'c']) protectedPod(node)
  const seen = await watching(async (watch) => {
    const blockers: (readonly string[])[] = []
    for (const ending of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
      await watch.look(['a', 'b', 'c'].map((node) => claim(node, { ends: ending.includes(node) })))
      blockers.push(blockersOf(watch))
    }
    return blockers
  })
  const [a, b, c] = ['a', 'b', 'c'].map((node) => `default/pod-of-${node}`)
  expect(seen).toEqual([[a], [a, b], [a, b, c]])
  expect(asked('/pods')).toBe(1)
})
