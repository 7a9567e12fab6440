import { RunEndedError } from '../engine/errors.js'

/** The job is cancelled. */
export class CancelledError extends RunEndedError {
  constructor() {
    super('the job was cancelled')
    this.name = 'CancelledError'
  }
}

/** The run's time is up. */
export class TimeoutError extends RunEndedError {
  readonly seconds: number
  constructor(seconds: number) {
    super(`timeout: the run was not done after ${seconds} s`)
    this.name = 'TimeoutError'
    this.seconds = seconds
  }
}

/** Where signals come from: `process`. */
export interface SignalSource {
  once(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  off(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
}

/** Calls back once after so many milliseconds, unless stopped; keeps the process alive until then. */
export type Timer = (milliseconds: number, callback: () => void) => { stop(): void }

export interface RunSignal {
  readonly signal: AbortSignal
  /** Ends the run for another reason, for instance a lost lock. */
  readonly abort: (reason: unknown) => void
  /** Must be called for the process to end. */
  readonly close: () => void
}

/**
 * Aborted when the runner cancels the job (SIGINT, 7.5 s later SIGTERM, 2.5 s later the end: runner source, 2026) or when
 * the run's time is up.
 */
export function runSignal(source: SignalSource, timer: Timer, timeoutSeconds: number): RunSignal {
  const controller = new AbortController()
  const cancel = (): void => controller.abort(new CancelledError())
  const timeout = timer(timeoutSeconds * 1000, () => controller.abort(new TimeoutError(timeoutSeconds)))
  source.once('SIGINT', cancel)
  source.once('SIGTERM', cancel)
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    close: () => {
      timeout.stop()
      source.off('SIGINT', cancel)
      source.off('SIGTERM', cancel)
    }
  }
}
