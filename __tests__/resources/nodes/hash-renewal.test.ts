import { awaitRenewedHash, hashVersionOf } from '../../../src/resources/nodes/hash-renewal.js'
import { ec2NodeClasses } from '../../../src/kubernetes/kinds.js'
import { waitsApart } from '../../../src/kubernetes/waits-together.js'
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

const wait = async (before: string | undefined, wanted: string | undefined, step = recordedStep()) => {
  await awaitRenewedHash(
    waitsApart(server.kubernetes, ec2NodeClasses),
    { name: 'default', before, wanted },
    step
  )
  return step
}

test('what an EC2NodeClass bears is read of its annotation', () => {
  const metadata = { name: 'a', annotations: { 'karpenter.k8s.aws/ec2nodeclass-hash-version': 'v6' } }
  expect(hashVersionOf({ apiVersion: 'karpenter.k8s.aws/v1', kind: 'EC2NodeClass', metadata })).toBe('v6')
  expect(hashVersionOf(undefined)).toBeUndefined()
})

test.each([
  ['had the hash of the new version before', 'v5', 'v5', () => hashIs('v5')],
  ['no controller had hashed', undefined, 'v5', () => hashIs(undefined)],
  ['has been renewed meanwhile', 'v4', 'v5', () => hashIs('v5')],
  ['has been renewed to another version than the one expected', 'v4', 'v5', () => hashIs('v9')],
  ['has been renewed by a version of which nothing is known', 'v6', undefined, () => hashIs('v7')],
  ['is being deleted', 'v4', 'v5', () => hashIs('v4', { deletionTimestamp: '2026-01-01T00:00:00Z' })],
  ['is not there', 'v4', 'v5', () => undefined]
])('an EC2NodeClass that %s is not waited for', async (_what, before, wanted, prepare) => {
  prepare()
  const { waits, lines } = await wait(before, wanted)
  expect([waits, lines]).toEqual([[], []])
})

test.each([
  ['v4', 'v5', 'v4 to v5'],
  ['v6', undefined, 'v6 to another, if its version has one']
])(
  'one with the hash %s of before, where %s is to come, is waited for until it leaves that',
  async (before, wanted, said) => {
    hashIs(before)
    const step = recordedStep()
    await wait(before, wanted, {
      ...step,
      waiting: (what) => {
        step.waiting(what)
        if (what !== undefined) hashIs('v9')
      }
    })
    expect([...new Set(step.waits)]).toEqual([
      `Karpenter to renew the hash of EC2NodeClass default (${said})`
    ])
    expect(step.lines).toEqual([])
    expect(server.writes()).toEqual([])
  }
)

test('a controller that does not renew it is given a minute, and what that means is said', async () => {
  hashIs('v4')
  let now = 0
  const { lines } = await wait(
    'v4',
    'v5',
    recordedStep(() => (now += 40_000))
  )
  expect(lines).toEqual([
    'warning: EC2NodeClass default: Karpenter has not renewed its hash within 60 s; nodes that are there may keep what they have'
  ])
})

test('where nothing is known of the version, a hash that stays is a doubt, and is said', async () => {
  hashIs('v6')
  let now = 0
  const { lines } = await wait(
    'v6',
    undefined,
    recordedStep(() => (now += 40_000))
  )
  expect(lines).toEqual([
    'warning: EC2NodeClass default: its hash is still of version v6 after 60 s, and whether this Karpenter computes another one is not known; if it does, nodes that are there keep what they have: look whether they drift (kubectl get nodeclaims -o wide)'
  ])
})
