import { gzipSync } from 'node:zlib'
import { mapAt } from '../../src/engine/json.js'
import { PlayedWorld } from './played-run.js'

const path = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
})
afterEach(async () => world.stop())

/** The record of an install that stood on an older Kubernetes. */
function recordedOn(kubernetesVersion: string): void {
  const live = world.server.at(path) ?? {}
  const text = JSON.stringify({ ...world.record(), kubernetesVersion })
  const binaryData = { ...mapAt(live, 'binaryData'), 'record.json.gz': gzipSync(text).toString('base64') }
  world.server.put(path, { ...live, metadata: mapAt(live, 'metadata'), binaryData })
}

test('after an upgrade of the cluster the next install records it, and proves again that it scales', async () => {
  await world.main()
  recordedOn('1.34')
  const ended = await world.main()
  expect(ended.failed).toBeUndefined()
  expect(ended.outputs['nodes-added']).toBe('1')
  expect(world.record()).toMatchObject({
    kubernetesVersion: '1.35',
    smokeTest: { time: expect.any(String) as unknown }
  })
  expect((await world.main()).writes).toEqual({ aws: [], cluster: [] })
})
