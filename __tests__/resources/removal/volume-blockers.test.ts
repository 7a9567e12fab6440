import type { Manifest } from '../../../src/kubernetes/manifest.js'
import { nodesAwaitingVolumes, volumeBlockers } from '../../../src/resources/removal/volume-blockers.js'

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
