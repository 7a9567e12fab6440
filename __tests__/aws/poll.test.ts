import { afterEach, describe, expect, test } from '@jest/globals'
import { noticingPause, poll } from '../../src/aws/poll.js'
import { type StackOperation, untilSettled } from '../../src/aws/stack-operation.js'
import { awsWith, recordedStep, Refusal } from './stand-in.js'

/** A call's own milliseconds. */
const call = 50

/** A step whose time passes by its pauses and calls alone. */
function played(): {
  readonly step: ReturnType<typeof recordedStep>
  readonly pass: (milliseconds: number) => void
} {
  const clock = { now: 1_000_000 }
  const pass = (milliseconds: number): void => void (clock.now += milliseconds)
  const step = {
    ...recordedStep(),
    now: () => clock.now,
    pause: async (milliseconds: number): Promise<void> => pass(milliseconds)
  }
  return { step, pass }
}

describe('noticingPause', () => {
  const ends = [0, 1, 0.3, 2.5, 7, 12.3, 29.9, 30, 30.1, 45, 61, 99, 180, 333, 600]

  test.each(ends)('notices the end of a wait of %s s within what it promises', async (seconds) => {
    const { step, pass } = played()
    const started = step.now()
    const end = started + seconds * 1000
    await poll(
      step,
      {
        what: 'the end',
        timeoutMilliseconds: 1_800_000,
        pauseAfter: noticingPause,
        giveUp: () => new Error('x')
      },
      async () => {
        const over = step.now() >= end
        pass(call)
        return over ? true : undefined
      }
    )
    const late = step.now() - end - call
    expect(late).toBeLessThanOrEqual(seconds < 30 ? 500 : (seconds * 1000) / 10 + call)
    expect(late).toBeLessThanOrEqual(5_000 + call)
  })

  test('asks no more than 76 times in the first 30 s, and no more than 40 times in the next two minutes', async () => {
    const asked: number[] = []
    for (let at = 0; at < 150_000; at += noticingPause(at)) asked.push(at)
    expect(asked.filter((at) => at < 30_000)).toHaveLength(76)
    expect(asked.filter((at) => at >= 30_000).length).toBeLessThanOrEqual(40)
  })

  test('doubles with each answer that took more than one try, up to 5 s', () => {
    expect([0, 1, 2, 3, 4, 9].map((times) => noticingPause(1_000, times))).toEqual([
      400, 800, 1_600, 3_200, 5_000, 5_000
    ])
  })
})

describe('untilSettled', () => {
  const open: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of open.splice(0)) await close()
  })

  /** The pauses of a wait for a stack that is ready after so many milliseconds; `throttled`: this read of it fails at first. */
  async function waitFor(
    milliseconds: number,
    { throttled, begun }: { readonly throttled?: number; readonly begun?: StackOperation } = {}
  ): Promise<{ pauses: readonly number[]; calls: readonly string[]; late: number }> {
    const { step } = played()
    const end = step.now() + milliseconds
    const pauses: number[] = []
    let reads = 0
    const { aws, server, close } = await awsWith({
      DescribeStacks: () => {
        reads += 1
        if (reads === throttled) throw new Refusal('Throttling', 'Rate exceeded', 400)
        const StackStatus = step.now() >= end ? 'CREATE_COMPLETE' : 'CREATE_IN_PROGRESS'
        return { Stacks: [{ StackName: 's', CreationTime: '2026-01-01T00:00:00Z', StackStatus }] }
      },
      DescribeStackEvents: () => ({ StackEvents: [] })
    })
    open.push(close)
    const noting = {
      ...step,
      pause: async (pause: number): Promise<void> => {
        pauses.push(pause)
        await step.pause(pause)
      }
    }
    const status = await untilSettled(aws, { id: 's', name: 's' }, noting, begun)
    expect(status).toBe('CREATE_COMPLETE')
    return { pauses, calls: server.calls, late: step.now() - end }
  }

  test('asks every 0.4 s, at first sooner, and looks at the events every 5 s only', async () => {
    const { pauses, calls, late } = await waitFor(12_000, { begun: {} })
    expect(pauses.slice(0, 4)).toEqual([200, 200, 400, 400])
    expect(new Set(pauses.slice(4))).toEqual(new Set([400]))
    expect(late).toBeLessThan(500)
    expect(calls.filter((name) => name === 'DescribeStackEvents')).toHaveLength(2)
  })

  test('looks first after a pause where the operation was begun just now, and else at once', async () => {
    expect((await waitFor(0, { begun: {} })).pauses).toEqual([200])
    expect((await waitFor(0)).pauses).toEqual([])
  })

  test('asks half as often once AWS has throttled it', async () => {
    const { pauses } = await waitFor(4_000, { throttled: 3 })
    expect(pauses.slice(3, 6)).toEqual([800, 800, 800])
  })
})
