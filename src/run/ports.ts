import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  debug,
  endGroup,
  error,
  getIDToken,
  getInput,
  getState,
  info,
  saveState,
  setFailed,
  setOutput,
  setSecret,
  startGroup,
  summary,
  warning
} from '@actions/core'
import { type Chart, type ChartSource, loadChart } from '../helm/chart.js'
import { publishedVersions } from '../helm/chart-tags.js'
import { type DownloadOptions, downloadText } from '../helm/download.js'
import { getHelm, type GetHelmOptions, type HelmBinary } from '../helm/get-helm.js'
import { type Helm, type HelmOptions, prepareHelm } from '../helm/run-helm.js'
import { readSignature } from '../helm/signature/read-signature.js'
import type { SignalSource, Timer } from './cancel.js'
import type { Pace } from '../kubernetes/endurance.js'
import type { Clock } from '../report/journal.js'
import { withHarmlessLog } from './harmless-log.js'
import { openSession, type Session, type SessionInputs } from './session.js'
import type { Runner } from './runner.js'

/** How a run comes to helm and to its chart. */
export interface HelmSource {
  find(options: GetHelmOptions): Promise<HelmBinary>
  prepare(options: HelmOptions): Promise<Helm>
  chart(source: ChartSource, reference: string, version: string): Promise<Chart>
  /** Who signed the chart that was pulled. */
  signature: typeof readSignature
  /** Versions of the chart that its registry has. */
  versions: typeof publishedVersions
}

/** Everything from outside that a run touches; below main nothing reads it directly. */
export interface Ports {
  readonly runner: Runner
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** What the lock is renewed and believed by; the clock itself, but where a test lets its time run. */
  readonly lockPace: Pace
  readonly signals: SignalSource
  readonly timer: Timer
  /** Text of a file of the workspace. */
  readonly readFile: (path: string) => string
  /** Paths of the workspace's files that a glob matches, in order. */
  readonly findFiles: (glob: string) => readonly string[]
  /** Appends to the job summary; undefined where the runner has none. */
  readonly appendSummary: ((text: string) => Promise<void>) | undefined
  /**
   * The run's connections to AWS and to the cluster; every wait of theirs ends with the signal. `answered`: whether the
   * cluster's API has answered earlier in this job.
   */
  readonly session: (inputs: SessionInputs, signal: AbortSignal, answered?: boolean) => Session
  readonly helm: HelmSource
  /** A small text file; undefined when the server says that there is none. */
  readonly download: (url: URL, options: DownloadOptions) => Promise<string | undefined>
}

/** By name: the whole of `@actions/core` brings along what starts programs. */
const toolkit: Runner = {
  getInput,
  getState,
  saveState,
  setOutput,
  setSecret,
  setFailed,
  getIDToken,
  debug,
  info,
  warning,
  error,
  startGroup,
  endGroup
}

/** The ports of a run on GitHub's runner. */
export function runnerPorts(): Ports {
  const env = process.env
  const runner = withHarmlessLog(toolkit)
  return {
    runner,
    env,
    clock: systemClock,
    lockPace: systemClock,
    signals: process,
    timer: systemTimer,
    readFile: (path) => readFileSync(resolve(env['GITHUB_WORKSPACE'] ?? '.', path), 'utf8'),
    findFiles: (glob) => globSync(glob, { cwd: env['GITHUB_WORKSPACE'] ?? '.' }).toSorted(),
    appendSummary:
      env['GITHUB_STEP_SUMMARY'] === undefined
        ? undefined
        : async (text) => {
            await summary.addRaw(text).write()
          },
    session: (inputs, signal, answered) =>
      openSession(inputs, { env, clock: systemClock, runner }, signal, answered),
    helm: {
      find: getHelm,
      prepare: prepareHelm,
      chart: loadChart,
      signature: readSignature,
      versions: publishedVersions
    },
    download: downloadText
  }
}

const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
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
      signal.addEventListener('abort', stop)
    }),
  every: (milliseconds, callback) => {
    const timer = setInterval(callback, milliseconds).unref()
    return { stop: () => clearInterval(timer) }
  }
}

const systemTimer: Timer = (milliseconds, callback) => {
  const timer = setTimeout(callback, milliseconds)
  return { stop: () => clearTimeout(timer) }
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
