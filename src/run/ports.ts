import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import * as core from '@actions/core'
import type { SignalSource } from './cancel.js'
import type { Clock, LogOutput } from '../report/journal.js'
import { withHarmlessLog } from './harmless-log.js'
import type { StateStore } from './state.js'

/** What of `@actions/core` a run uses. */
export interface Runner extends LogOutput, StateStore {
  getInput(name: string): string
  setOutput(name: string, value: string): void
  setSecret(secret: string): void
  setFailed(message: string): void
  debug(line: string): void
  getIDToken(audience: string): Promise<string>
}

/** Everything from outside that a run touches; below main nothing reads it directly. */
export interface Ports {
  readonly runner: Runner
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly signals: SignalSource
  /** Text of a file of the workspace. */
  readonly readFile: (path: string) => string
  /** Appends to the job summary; undefined where the runner has none. */
  readonly appendSummary: ((text: string) => Promise<void>) | undefined
}

/** The ports of a run on GitHub's runner. */
export function runnerPorts(): Ports {
  const env = process.env
  return {
    runner: withHarmlessLog(core),
    env,
    clock: systemClock,
    signals: process,
    readFile: (path) => readFileSync(resolve(env['GITHUB_WORKSPACE'] ?? '.', path), 'utf8'),
    appendSummary:
      env['GITHUB_STEP_SUMMARY'] === undefined
        ? undefined
        : async (text) => {
            await core.summary.addRaw(text).write()
          }
  }
}

const systemClock: Clock = {
  now: () => Date.now(),
  pause: async (milliseconds, signal) =>
    new Promise((resolvePause, reject) => {
      if (signal.aborted) return reject(asError(signal.reason))
      const stop = (): void => {
        clearTimeout(timer)
        reject(asError(signal.reason))
      }
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', stop)
        resolvePause()
      }, milliseconds)
      signal.addEventListener('abort', stop, { once: true })
    }),
  every: (milliseconds, callback) => {
    const timer = setInterval(callback, milliseconds).unref()
    return { stop: () => clearInterval(timer) }
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}

/** Where the workflow's run can be seen; `local` outside of GitHub. */
export function runUrl(env: Ports['env']): string {
  const {
    GITHUB_SERVER_URL: server,
    GITHUB_REPOSITORY: repository,
    GITHUB_RUN_ID: run,
    GITHUB_RUN_ATTEMPT: attempt
  } = env
  if (server === undefined || repository === undefined || run === undefined) return 'local'
  return `${server}/${repository}/actions/runs/${run}${attempt === undefined ? '' : `/attempts/${attempt}`}`
}
