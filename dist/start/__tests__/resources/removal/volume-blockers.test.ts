import type { Manifest } from '../../../src/kubernetes/manifest.js'
import { DrainWatch } from '../../../src/resources/removal/drain-watch.js'
import { nodesAwaitingVolumes, volumeBlockers } from '../../../src/resources/removal/volume-blockers.js'
import { RemovalView } from '../../../src/resources/removal/removal-view.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { recordedStep } from '../step.js'

function claim(node: string, conditions: Readonly<Record<string, string>>): Manifest {
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: { name: `claim-of-${node}` },
    status: {
      nodeName: node,
      conditions: Object.entries(conditions).map(([type, status]) => ({ type, status }))
    }
  }
}

function attachment(node: string, more: Readonly<Record<string, unknown>> = {}): Manifest {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: `csi-${node}` },
    spec: { attacher: 'ebs.csi.aws.com', nodeName: node, source: { persistentVolumeName: 'pvc-1' } },
    ...more
  }
}

const waiting = { Drained: 'True', VolumesDetached: 'False' }

describe('nodesAwaitingVolumes', () => {
  it.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ['is drained, and its volumes are not detached', waiting, ['a']],
    ['is not drained yet', { Drained: 'False', VolumesDetached: 'Unknown' }, []],
    ['has its volumes detached', { Drained: 'True', VolumesDetached: 'True' }, []],
    ['is of a Karpenter that does not wait for volumes', { Drained: 'True' }, []]
  ])('of one that %s', (_, conditions, expected) => {
    expect(nodesAwaitingVolumes([claim('a', conditions)])).toEqual(expected)
  })
})

describe('volumeBlockers', () => {
  it('names the VolumeAttachment, its volume and driver, and what to do', () => {
    expect(volumeBlockers(new Set(['a']), [attachment('a'), attachment('b')])).toEqual([
      {
        pod: 'VolumeAttachment csi-a',
        kind: 'volume',
        why: 'on a: volume pvc-1 of driver ebs.csi.aws.com is not detached: nobody has asked to detach it yet',
        fix: 'see that the controller of driver ebs.csi.aws.com runs and may detach volumes; where the volume is off the instance for certain, kubectl delete volumeattachment csi-a'
      }
    ])
  })

  it('says what the driver says of it', () => {
    const asked = attachment('a', {
      metadata: { name: 'csi-a', deletionTimestamp: '2026-01-01T00:00:00Z' },
      spec: { attacher: 'd', nodeName: 'a', source: {} }
    })
    const failed = { ...asked, status: { detachError: { message: 'UnauthorizedOperation' } } }
    const [first, second] = volumeBlockers(new Set(['a']), [asked, failed])
    expect(first?.why).toBe(
      'on a: an inline volume of driver d is not detached: the driver was asked to detach it, and has not said that it did'
    )
    expect(second?.why).toMatch(/: UnauthorizedOperation$/)
  })
})

describe('a drain', () => {
  let cluster: ApiServer
  beforeEach(async () => {
    cluster = await ApiServer.start()
    cluster.put('/apis/storage.k8s.io/v1/volumeattachments/csi-a', { ...attachment('a') })
  })
  afterEach(async () => cluster.stop())

  async function seen(conditions: Readonly<Record<string, string>>): Promise<readonly string[]> {
    return new RemovalView(cluster.kubernetes).use(recordedStep(), async (watched) => {
      const watch = new DrainWatch(watched, 0)
      await watch.look([claim('a', conditions)])
      return watch.blockers(0).map(({ pod }) => pod)
    })
  }

  it('looks at VolumeAttachments once a NodeClaim waits for them, and not before', async () => {
    const asked = () => cluster.calls.some(({ path }) => path.includes('volumeattachments'))
    expect(await seen({ Drained: 'False', VolumesDetached: 'Unknown' })).toEqual([])
    expect(asked()).toBe(false)
    expect(await seen(waiting)).toEqual(['VolumeAttachment csi-a'])
  })
})
