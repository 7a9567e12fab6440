import { EventEmitter } from 'node:events'
import { CancelledError, runSignal, TimeoutError } from '../../src/run/cancel.js'

/** A timer that a test lets ring. */
function played(seconds = 60) {
  const source = new EventEmitter()
  const timers = new Map<() => void, number>()
  const run = runSignal(
    source,
    (milliseconds, callback) => {
      timers.set(callback, milliseconds)
      return { stop: () => timers.delete(callback) }
    },
    seconds
  )
  return { source, timers, ...run }
}

test.each(['SIGINT', 'SIGTERM'])('%s cancels the run', (name) => {
  const { source, signal } = played()
  expect(signal.aborted).toBe(false)
  source.emit(name)
  expect(signal.reason).toBeInstanceOf(CancelledError)
  expect(String(signal.reason)).toBe('CancelledError: the job was cancelled')
})

test('a run is over when its time is up', () => {
  const { timers, signal } = played(90)
  expect([...timers.values()]).toEqual([90_000])
  for (const ring of timers.keys()) ring()
  expect(signal.reason).toBeInstanceOf(TimeoutError)
  expect(signal.reason).toMatchObject({ seconds: 90 })
  expect(String(signal.reason)).toBe('TimeoutError: timeout: the run was not done after 90 s')
})

test('whatever ends it first is the reason', () => {
  const { abort, source, signal } = played()
  const lost = new Error('the lock was lost')
  abort(lost)
  source.emit('SIGINT')
  expect(signal.reason).toBe(lost)
})

test('once it is closed nothing keeps the process alive', () => {
  const { close, timers, source } = played()
  close()
  expect([timers.size, source.listenerCount('SIGINT'), source.listenerCount('SIGTERM')]).toEqual([0, 0, 0])
})
