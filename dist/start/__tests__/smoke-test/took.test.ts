import { expect, test } from '@jest/globals'
import { Turns } from '../../src/smoke-test/took.js'

function played(): { readonly turns: Turns; readonly pass: (milliseconds: number) => void } {
  const clock = { now: 5_000 }
  return { turns: new Turns(() => clock.now), pass: (milliseconds) => void (clock.now += milliseconds) }
}

test('each moment is somebody’s, and it is our turn first', () => {
  const { turns, pass } = played()
  pass(300)
  turns.to('karpenter')
  pass(2_000)
  turns.to('ec2')
  pass(31_000)
  turns.to('karpenter')
  pass(21_000)
  turns.to('ours')
  pass(200)
  expect(turns.took).toEqual({ karpenter: 23, ec2: 31, ours: 0.5 })
})

test('what was noticed late is ours, but never more than there was', () => {
  const { turns, pass } = played()
  turns.to('ec2')
  pass(1_000)
  turns.late(400)
  expect(turns.took).toEqual({ karpenter: 0, ec2: 0.6, ours: 0.4 })
  turns.to('karpenter')
  pass(100)
  turns.late(5_000)
  expect(turns.took).toEqual({ karpenter: 0, ec2: 0.6, ours: 0.5 })
})
