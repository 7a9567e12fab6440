import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { newestComplaint, standingOf } from '../../../src/resources/controller/controller-standing.js'

const deployment = (replicas: number, ready: number): Deployment => ({
  metadata: { name: 'karpenter', namespace: 'karpenter' },
  spec: { replicas, selector: {}, template: {} },
  status: { readyReplicas: ready }
})

test('a controller runs when any of its Deployments has a ready replica', () => {
  expect(standingOf([deployment(2, 0), deployment(2, 1)])).toEqual({ state: 'running' })
})

test('a controller is gone without a Deployment, and scaled to 0', () => {
  expect(standingOf([])).toMatchObject({ state: 'gone', text: 'no Karpenter controller is in the cluster' })
  expect(standingOf([deployment(0, 0)])).toMatchObject({
    state: 'gone',
    text: 'Deployment karpenter/karpenter is scaled to 0'
  })
  expect(standingOf([deployment(2, 0)])).toMatchObject({ state: 'not ready' })
})

describe('the newest complaint about an object', () => {
  const since = Date.parse('2026-01-01T12:00:00Z')
  const line = (entry: object): string =>
    JSON.stringify({ level: 'ERROR', message: 'Reconciler error', ...entry })
  const denied = line({
    time: '2026-01-01T12:00:20.000Z',
    EC2NodeClass: { name: 'default' },
    error:
      'listing instance profiles, operation error IAM: ListInstanceProfiles, AccessDenied: User: x is not authorized to perform: iam:ListInstanceProfiles on resource: y because no identity-based policy allows it'
  })

  test('says the permission that the controller lacks', () => {
    const older = line({ time: '2026-01-01T12:00:10.000Z', name: 'default', error: 'something else' })
    const complaint = newestComplaint([`panic: no JSON\n${denied}`, older], new Set(['default']), since)
    expect(complaint).toMatchObject({
      text: expect.stringContaining('listing instance profiles') as unknown,
      lacks: 'iam:ListInstanceProfiles'
    })
    expect(complaint?.fix).toContain("Allow the controller's role iam:ListInstanceProfiles")
  })

  test('is none of another object, of before, or of another level', () => {
    expect(newestComplaint([denied], new Set(['other']), since)).toBeUndefined()
    expect(newestComplaint([denied], new Set(['default']), since + 60_000)).toBeUndefined()
    const info = JSON.stringify({
      level: 'INFO',
      time: '2026-01-01T12:00:30Z',
      name: 'default',
      message: 'ok'
    })
    expect(newestComplaint([info], new Set(['default']), since)).toBeUndefined()
  })

  test('is not that the NodePool is gone whose NodeClaims are being removed', () => {
    const gone = line({
      time: '2026-01-01T12:00:30.000Z',
      NodeClaim: { name: 'default-x6gvw' },
      error: 'NodePool.karpenter.sh "default" not found (nodeclaim=default-x6gvw, nodepool=default)'
    })
    expect(newestComplaint([gone], new Set(['default-x6gvw']), since)).toBeUndefined()
    expect(newestComplaint([denied, gone], new Set(['default', 'default-x6gvw']), since)).toMatchObject({
      lacks: 'iam:ListInstanceProfiles'
    })
  })
})
