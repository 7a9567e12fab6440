import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** When to cancel: at the first output line that the predicate takes, or when the promise is kept. */
export type CancelAt = ((line: string) => boolean) | Promise<unknown>

/** When the machine is gone, nobody is told and no post step follows; `alone`: what the process started goes on. */
export type LostAt = Promise<'whole' | 'alone'>

export interface StepProcess {
  readonly node: string
  readonly script: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly onLine: (line: string) => void
  readonly cancelAt?: CancelAt
  readonly lostAt?: LostAt
  /** Milliseconds after which the step is cancelled as by `timeout-minutes`. */
  readonly timeout: number
  readonly signals: SignalTimes
}

/** The runner's: SIGINT, 7.5 s, SIGTERM, 2.5 s, SIGKILL. */
export interface SignalTimes {
  readonly untilTerminate: number
  readonly untilKill: number
}

export const RUNNER_SIGNALS: SignalTimes = { untilTerminate: 7500, untilKill: 2500 }

export interface StepEnd {
  /** Null when a signal ended the process. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly cancelled: boolean
  readonly lost: boolean
  readonly timedOut: boolean
  readonly milliseconds: number
  /** Most memory resident at once in the node process; undefined where /proc does not say. */
  readonly maxRssBytes: number | undefined
}

const DRAIN = 5000
const MEMORY_INTERVAL = 40

/** Runs one script as the runner does and cancels it as the runner does. */
export async function runStepProcess(step: StepProcess): Promise<StepEnd> {
  const started = performance.now()
  const child = spawn(step.node, [step.script], {
    cwd: step.cwd,
    env: step.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own group, so that whatever it leaves running can be ended with it.
    detached: true
  })
  const timers = new Set<NodeJS.Timeout>()
  let cancelled = false
  let timedOut = false
  let maxRssBytes: number | undefined

  const later = (milliseconds: number, action: () => void): void => {
    timers.add(setTimeout(action, milliseconds))
  }
  const cancel = (): void => {
    if (cancelled) {
      return
    }
    cancelled = true
    child.kill('SIGINT')
    const { untilTerminate, untilKill } = step.signals
    // At once: a timer would leave a quick process the time to end by itself.
    if (untilTerminate + untilKill === 0) {
      killGroup(child)
      return
    }
    later(untilTerminate, () => {
      child.kill('SIGTERM')
      later(untilKill, () => killGroup(child))
    })
  }

  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      step.onLine(line)
      if (typeof step.cancelAt === 'function' && step.cancelAt(line)) {
        cancel()
      }
    })
  }
  if (step.cancelAt instanceof Promise) {
    step.cancelAt.then(cancel, cancel)
  }
  let lost: Awaited<LostAt> | undefined
  step.lostAt?.then(
    (how) => {
      lost = how
      child.kill('SIGKILL')
      if (how === 'whole') killGroup(child)
    },
    () => undefined
  )
  later(step.timeout, () => {
    timedOut = true
    cancel()
  })
  const memory = setInterval(() => {
    maxRssBytes = highWaterMark(child.pid) ?? maxRssBytes
  }, MEMORY_INTERVAL)

  const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, ending) => {
      clearInterval(memory)
      const done = setTimeout(() => resolve([code, ending]), DRAIN)
      child.once('close', () => {
        clearTimeout(done)
        resolve([code, ending])
      })
    })
  }).finally(() => {
    clearInterval(memory)
    for (const timer of timers) {
      clearTimeout(timer)
    }
    if (lost !== 'alone') killGroup(child)
  })
  return {
    exitCode,
    signal,
    cancelled,
    lost: lost !== undefined,
    timedOut,
    milliseconds: performance.now() - started,
    maxRssBytes
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) {
    return
  }
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nothing of the group is left.
  }
}

function highWaterMark(pid: number | undefined): number | undefined {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid ?? 0}/status`, 'utf8'))?.[1]
    return line === undefined ? undefined : Number(line) * 1024
  } catch {
    return undefined
  }
}
