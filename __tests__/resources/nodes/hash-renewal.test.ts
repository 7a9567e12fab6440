import { awaitRenewedHash } from '../../../src/resources/nodes/hash-renewal.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { recordedStep } from '../step.js'

const path = '/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

function hashIs(version: string | undefined, more: object = {}): void {
  const annotations = version && { 'karpenter.k8s.aws/ec2nodeclass-hash-version': version }
  const metadata = { ...(annotations && { annotations }), ...more }
  server.put(path, { apiVersion: 'karpenter.k8s.aws/v1', kind: 'EC2NodeClass', metadata })
}

const wait = async (step = recordedStep()) => {
  await awaitRenewedHash(server.kubernetes, 'default', 'v5', step)
  return step
}

test.each([
  ['has the hash of the new version', () => hashIs('v5')],
  ['no controller has hashed', () => hashIs(undefined)],
  ['is being deleted', () => hashIs('v4', { deletionTimestamp: '2026-01-01T00:00:00Z' })],
  ['is not there', () => undefined]
])('an EC2NodeClass that %s is not waited for', async (_what, prepare) => {
  prepare()
  const { waits, lines } = await wait()
  expect([waits, lines]).toEqual([[], []])
})

test('one with the hash of the old version is waited for until the controller has renewed it', async () => {
  hashIs('v4')
  const step = recordedStep()
  const waiting = wait({
    ...step,
    waiting: (what) => {
      step.waiting(what)
      if (what !== undefined) hashIs('v5')
    }
  })
  await waiting
  expect([...new Set(step.waits)]).toEqual(['Karpenter to renew the hash of EC2NodeClass default (v4 to v5)'])
  expect(step.lines).toEqual([])
  expect(server.writes()).toEqual([])
})

test('a controller that does not renew it is given a minute, and what that means is said', async () => {
  hashIs('v4')
  let now = 0
  const { lines } = await wait(recordedStep(() => (now += 40_000)))
  expect(lines).toEqual([
    'warning: EC2NodeClass default: Karpenter has not renewed its hash within 60 s; nodes that are there may keep what they have'
  ])
})
