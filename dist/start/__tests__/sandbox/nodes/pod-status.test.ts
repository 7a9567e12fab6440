import { podStatus } from '../../../sandbox/nodes/pod-status.js'
import { textRecord, list, record } from '../../../sandbox/values.js'

const pod = {
  metadata: { uid: 'u' },
  spec: { containers: [{ name: 'web', image: 'nginx' }] },
  status: { conditions: [{ type: 'PodScheduled', status: 'True' }] }
}

function conditionsOf(status: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    list(status['conditions']).map((one) => [textRecord(one)['type'] ?? '', textRecord(one)['status'] ?? ''])
  )
}

describe('podStatus', () => {
  it('of a ready container is Running, with the scheduler’s condition kept', () => {
    const status = podStatus(
      pod,
      { state: { kind: 'running', startedAt: '2026-11-24T12:00:00Z', ready: true }, restarts: 0 },
      '10.0.0.1',
      '2026-11-24T12:00:00Z'
    )
    expect(status).toMatchObject({ phase: 'Running', podIP: '10.0.0.1' })
    expect(conditionsOf(status)).toMatchObject({ PodScheduled: 'True', Ready: 'True' })
  })
  it('of an image that cannot be pulled is Pending, with the reason', () => {
    const status = podStatus(
      pod,
      { state: { kind: 'waiting', reason: 'ErrImagePull', message: 'not found' }, restarts: 0 },
      '10.0.0.1',
      ''
    )
    expect(status['phase']).toBe('Pending')
    expect(record(list(status['containerStatuses'])[0])['state']).toEqual({
      waiting: { reason: 'ErrImagePull', message: 'not found' }
    })
  })
  it('of a crashed container tells the exit code of the run before', () => {
    const status = podStatus(
      pod,
      {
        state: { kind: 'waiting', reason: 'CrashLoopBackOff', message: '' },
        restarts: 2,
        lastTermination: { exitCode: 1, startedAt: 'a', finishedAt: 'b' }
      },
      '10.0.0.1',
      ''
    )
    expect(list(status['containerStatuses'])[0]).toMatchObject({
      restartCount: 2,
      lastState: { terminated: { exitCode: 1, reason: 'Error' } }
    })
    expect(conditionsOf(status)).toMatchObject({ Ready: 'False' })
  })
})
