import { notReady } from '../engine/calls.js'
import { messageOf } from '../engine/errors.js'
import type { Step } from '../engine/resource.js'
import type { Journal, Outcome } from '../engine/walk.js'

/** What the log is written with: `@actions/core` has these. */
export interface LogOutput {
  info(line: string): void
  warning(line: string): void
  error(line: string): void
  startGroup(name: string): void
  endGroup(): void
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Milliseconds since a moment of this process's own, which nobody sets: what durations are measured by. */
  monotonic(): number
  pause(milliseconds: number, signal: AbortSignal): Promise<void>
  /** Calls back every so many milliseconds until stopped; must not keep the process alive. */
  every(milliseconds: number, callback: () => void): { stop(): void }
}

/** What long waits wait for is shown this often. */
const waitingEvery = 10_000
/** GitHub keeps at most 10 annotations of a type a step; the last is for the error of the run. */
const mostWarnings = 9

/**
 * The log of a run, which reads like a report: one group a stage or resource, a line a change, seconds. Stages run side
 * by side, so a group is written when its stage ends; what is being waited for is shown in between, every 10 s.
 */
export class RunJournal implements Journal {
  readonly #out: LogOutput
  readonly #clock: Clock
  readonly #serverNow: () => number
  readonly #signal: AbortSignal
  #titleOf: (id: string) => string = (id) => id
  readonly #open = new Map<
    string,
    { lines: string[]; changes: string[]; startedAt: number; waitingFor: string | undefined }
  >()
  readonly #ticker: { stop(): void }
  readonly #warnings: string[] = []

  /** `serverNow`: what a step takes the time to be; the runner's own clock may be off. */
  constructor(
    out: LogOutput,
    clock: Clock,
    signal: AbortSignal,
    serverNow: () => number = () => clock.now()
  ) {
    this.#serverNow = serverNow
    this.#out = out
    this.#clock = clock
    this.#signal = signal
    this.#ticker = clock.every(waitingEvery, () => this.#showWaiting())
  }

  /** All warnings of the run, for summary and report. */
  get warnings(): readonly string[] {
    return this.#warnings
  }

  /** How ids of resources are called from now on. */
  titles(titleOf: (id: string) => string): void {
    this.#titleOf = titleOf
  }

  begin(id: string): void {
    this.#entry(id)
  }

  step(id: string): { readonly step: Step; readonly changes: () => readonly string[] } {
    const entry = this.#entry(id)
    return {
      changes: () => entry.changes,
      step: {
        changed: (line) => {
          entry.lines.push(line)
          entry.changes.push(line)
        },
        note: (line) => void entry.lines.push(line),
        warning: (line) => this.warning(line),
        waiting: (what) => {
          entry.waitingFor = what
          notReady(what)
        },
        signal: this.#signal,
        now: () => this.#serverNow(),
        pause: async (milliseconds) => this.#clock.pause(milliseconds, this.#signal)
      }
    }
  }

  end(outcome: Outcome): void {
    const failed = outcome.result === 'failed' ? [`failed: ${messageOf(outcome.error)}`] : []
    this.#close(outcome.id, failed, outcome.result !== 'as wanted')
  }

  /** Runs a stage that is no resource under its own group; one that has nothing to say gets none. */
  async stage<T>(title: string, work: (step: Step) => Promise<T>): Promise<T> {
    const { step } = this.step(title)
    try {
      const result = await work(step)
      this.#close(title, [], false)
      return result
    } catch (error) {
      this.#close(title, [`failed: ${messageOf(error)}`], true)
      throw error
    }
  }

  warning(line: string): void {
    if (this.#warnings.includes(line)) return
    this.#warnings.push(line)
    if (this.#warnings.length <= mostWarnings) this.#out.warning(line)
    else this.#out.info(`warning: ${line}`)
  }

  /** Writes what is still open, for instance on cancel, and stops the ticker. */
  close(): void {
    this.#ticker.stop()
    for (const id of [...this.#open.keys()]) this.#close(id, ['interrupted'], true)
  }

  #entry(id: string): {
    lines: string[]
    changes: string[]
    startedAt: number
    waitingFor: string | undefined
  } {
    const found = this.#open.get(id)
    if (found !== undefined) return found
    const entry = { lines: [], changes: [], startedAt: this.#clock.now(), waitingFor: undefined }
    this.#open.set(id, entry)
    return entry
  }

  /** A resource that is as wanted and has nothing to say gets no group: the plan has counted it. */
  #close(id: string, more: readonly string[], always: boolean): void {
    const entry = this.#open.get(id)
    if (entry === undefined) return
    this.#open.delete(id)
    const lines = [...entry.lines, ...more]
    if (lines.length === 0 && !always) return
    const seconds = ((this.#clock.now() - entry.startedAt) / 1000).toFixed(1)
    const changes =
      entry.changes.length === 0
        ? ''
        : `${entry.changes.length} ${entry.changes.length === 1 ? 'change' : 'changes'}, `
    this.#out.startGroup(`${this.#titleOf(id)} (${changes}${seconds} s)`)
    for (const line of lines) this.#out.info(line)
    this.#out.endGroup()
  }

  #showWaiting(): void {
    const now = this.#clock.now()
    const waits = [...this.#open].flatMap(([id, entry]) =>
      entry.waitingFor === undefined
        ? []
        : [`${this.#titleOf(id)}: ${entry.waitingFor} (${Math.round((now - entry.startedAt) / 1000)} s)`]
    )
    if (waits.length > 0) this.#out.info(`Waiting for ${waits.join('; ')}`)
  }
}
