import type { NodePoolResult } from '../../src/smoke-test/result.js'
import { tooSlow } from '../../src/smoke-test/threshold.js'

const result = (stages: Partial<NodePoolResult['stages']>): NodePoolResult => ({
  nodePool: 'default',
  nodesBefore: 2,
  nodesAfter: 3,
  nodesAdded: 1,
  nodes: [],
  podsRunning: 1,
  stages: { launched: undefined, registered: undefined, initialized: undefined, podsRunning: 60, ...stages },
  nodeReadySeconds: stages.initialized ?? 90,
  scaledUpAt: 0,
  scaledDownAt: 0,
  scaleDownSeconds: 30,
  took: { karpenter: 25, ec2: 40, ours: 1 },
  scaleDown: 'consolidated',
  events: []
})

test('a node that is ready in time, to the second, is no error', () => {
  expect(tooSlow(result({ launched: 3, registered: 30, initialized: 45 }), 45)).toBeUndefined()
})

test.each([
  ['until EC2 had launched it', 40, { launched: 40, registered: 60, initialized: 75 }],
  ['until it had registered as a node', 62, { launched: 3, registered: 65, initialized: 75 }],
  ['until it was initialized', 45, { launched: 3, registered: 30, initialized: 75 }]
])('a node that is late is an error that says what took longest: %s', (what, seconds, stages) => {
  expect(tooSlow(result(stages), 60)).toMatchObject({
    message:
      'node-ready-threshold-seconds: the slowest new node of NodePool default was ready after 75 s, which is more than 60 s; ' +
      `most of it, ${seconds} s, went by ${what} (launched ${stages.launched} s, registered ${stages.registered} s, initialized ${stages.initialized} s)`,
    fix: expect.stringContaining('raise the threshold') as unknown,
    state: "The smoke test's own objects are removed; the installation stays as it was."
  })
})

test('a stage whose time is not known is not guessed', () => {
  expect(tooSlow(result({}), 60)?.message).toMatch(/which is more than 60 s$/)
})
