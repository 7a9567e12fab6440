import { deleteRecord, readRecord, writeRecord } from '../../src/kubernetes/record-store.js'
import { ApiServer, status } from './api-server.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

const path = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'

test('what was written is read, compressed in between', async () => {
  const text = JSON.stringify({ wanted: 'x'.repeat(100_000) })
  expect(await readRecord(server.kubernetes)).toEqual({ state: 'absent' })
  await writeRecord(server.kubernetes, text, 'local')
  expect(JSON.stringify(server.at(path)).length).toBeLessThan(2_000)
  expect(await readRecord(server.kubernetes)).toEqual({ state: 'present', text })
  expect(await deleteRecord(server.kubernetes)).toBe('deleted')
  expect(await readRecord(server.kubernetes)).toEqual({ state: 'absent' })
})

test('a ConfigMap that is no record of ours is broken, not absent', async () => {
  server.put(path, { apiVersion: 'v1', kind: 'ConfigMap', data: { other: 'x' } })
  expect(await readRecord(server.kubernetes)).toMatchObject({ state: 'broken' })
  server.put(path, { apiVersion: 'v1', kind: 'ConfigMap', binaryData: { 'record.json.gz': 'aGVsbG8=' } })
  expect(await readRecord(server.kubernetes)).toMatchObject({ state: 'broken' })
})

test('a record that may not be read is unreadable, with the permission that is missing', async () => {
  server.intercept = (_call, response) => {
    status(response, 403, 'Forbidden', 'no')
    return true
  }
  expect(await readRecord(server.kubernetes)).toMatchObject({
    state: 'unreadable',
    missingPermission: 'get configmaps in namespace kube-system'
  })
})
