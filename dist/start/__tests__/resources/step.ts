import type { Step } from '../../src/engine/resource.js'

export interface RecordedStep extends Step {
  readonly lines: string[]
  readonly waits: string[]
}

/** A step that keeps what it is told. `now` is a clock that a test may move. */
export function recordedStep(
  now: () => number = Date.now,
  signal = new AbortController().signal
): RecordedStep {
  const lines: string[] = []
  const waits: string[] = []
  return {
    lines,
    waits,
    changed: (line) => {
      lines.push(line)
    },
    note: (line) => {
      lines.push(`note: ${line}`)
    },
    warning: (line) => {
      lines.push(`warning: ${line}`)
    },
    waiting: (what) => {
      if (what !== undefined) waits.push(what)
    },
    signal,
    now,
    pause: async () => new Promise((resolve) => setImmediate(resolve))
  }
}
