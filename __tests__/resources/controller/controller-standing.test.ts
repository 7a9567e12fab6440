import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { standingOf } from '../../../src/resources/controller/controller-standing.js'

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
