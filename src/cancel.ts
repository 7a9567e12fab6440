/** Thrown out of every wait when the job is cancelled. */
export class CancelledError extends Error {
  constructor() {
    super('the job was cancelled')
    this.name = 'CancelledError'
  }
}

/** Thrown out of every wait when the run's time is up. */
export class TimeoutError extends Error {
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

/**
 * Aborted when the runner cancels the job (SIGINT, 7.5 s later SIGTERM, 2.5 s later the end: runner source, 2026) or when
 * the run's time is up. `close` must be called for the process to end.
 */
export function runSignal(
  source: SignalSource,
  timeoutSeconds: number
): { readonly signal: AbortSignal; readonly close: () => void } {
  const controller = new AbortController()
  const cancel = (): void => controller.abort(new CancelledError())
  const timer = setTimeout(() => controller.abort(new TimeoutError(timeoutSeconds)), timeoutSeconds * 1000)
  source.once('SIGINT', cancel)
  source.once('SIGTERM', cancel)
  return {
    signal: controller.signal,
    close: () => {
      clearTimeout(timer)
      source.off('SIGINT', cancel)
      source.off('SIGTERM', cancel)
    }
  }
}
