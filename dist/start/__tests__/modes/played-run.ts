import { realPace } from '../kubernetes/pace.js'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as core from '@actions/core'
import { load } from 'js-yaml'
import type { Credentials } from '../../sandbox/cloud/credentials/store.js'
import type { Cloud } from '../../sandbox/cloud/index.js'
import { isMap } from '../../src/engine/json.js'
import { field, textField } from '../../src/kubernetes/manifest.js'
import { main } from '../../src/main.js'
import { post } from '../../src/post.js'
import { withHarmlessLog } from '../../src/run/harmless-log.js'
import type { Ports } from '../../src/run/ports.js'
import { openSession } from '../../src/run/session.js'
import type { ApiServer } from '../kubernetes/api-server.js'
import { administrator } from '../sandbox/cloud/clients.js'
import { PlayedAws, type PlayedClusterOptions, startPlayedCloud } from './played-aws.js'
import { startPlayedCluster } from './played-cluster.js'
import { PlayedHelm } from './played-helm.js'

/** How a step ended and what it left behind, as GitHub's runner sees it. */
export interface Ended {
  /** What the step failed with; undefined when it succeeded. */
  readonly failed: string | undefined
  readonly outputs: Readonly<Record<string, string>>
  readonly summary: string
  readonly warnings: readonly string[]
  readonly errors: readonly string[]
  readonly log: readonly string[]
  readonly report: Readonly<Record<string, unknown>> | undefined
  /** Masked values. */
  readonly secrets: readonly string[]
  /** What main left for post; empty: nothing. */
  readonly state: string
  /** What would keep the process alive: timers, and listeners of signals. */
  readonly left: { readonly timers: number; readonly listeners: number }
  /** Of this step alone; what is only tried is none. */
  readonly writes: { readonly aws: readonly string[]; readonly cluster: readonly string[] }
}

type Given = Readonly<Record<string, string>>

/** What a test does in the middle of a run. */
export interface Interference {
  /** Cancels the job as the runner does. */
  readonly cancel: () => void
  /** Its time is up. */
  readonly timeUp: () => void
}

export interface PlayedRunOptions {
  /** Called before each request to the cluster with its method and path. */
  readonly at?: (request: string, interference: Interference) => void
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly files?: Given
  /** Called whenever the run lets time pass. */
  readonly paused?: () => void
  /** Changes what the run is given of the outside. */
  readonly ports?: (ports: Ports) => Ports
}

/** Cluster blue in an account of its own: real clients, real flows, played AWS, API server, helm and runner. */
export class PlayedWorld {
  readonly cloud: Cloud
  readonly server: ApiServer
  readonly aws: PlayedAws
  readonly helm: PlayedHelm
  readonly #folder: string
  readonly #credentials: Credentials
  #runs = 0

  private constructor(cloud: Cloud, server: ApiServer, aws: PlayedAws) {
    this.cloud = cloud
    this.server = server
    this.aws = aws
    this.helm = new PlayedHelm(server, () => this.writes())
    this.#credentials = administrator(cloud)
    this.#folder = mkdtempSync(join(tmpdir(), 'played-run-'))
  }

  static async start(options: PlayedClusterOptions = {}): Promise<PlayedWorld> {
    const aws = new PlayedAws()
    const [cloud, server] = await Promise.all([startPlayedCloud(aws, options), startPlayedCluster(aws)])
    cloud.eks.setEndpoint('blue', server.endpoint, server.certificateAuthority)
    return new PlayedWorld(cloud, server, aws)
  }

  async stop(): Promise<void> {
    for (const name of [...awsVariables, ...runnerFiles]) Reflect.deleteProperty(process.env, name)
    rmSync(this.#folder, { recursive: true, force: true })
    await Promise.all([this.cloud.stop(), this.server.stop()])
    // Whatever a test tries: requests and answers are those of AWS's own models.
    expect(this.cloud.unlikeAws()).toEqual([])
  }

  /** One run of main. Inputs are as a workflow gives them, over action.yml's defaults. */
  async main(given: Given = {}, options: PlayedRunOptions = {}): Promise<Ended> {
    return this.#step(given, options, '', main)
  }

  /** The post step of a run that left this state. */
  async post(
    { state }: Pick<Ended, 'state'>,
    given: Given = {},
    options: PlayedRunOptions = {}
  ): Promise<Ended> {
    return this.#step(given, options, state, post)
  }

  /** The record in the cluster. */
  record(): Readonly<Record<string, unknown>> | undefined {
    const packed = textField(
      this.server.at('/api/v1/namespaces/kube-system/configmaps/setup-karpenter'),
      'binaryData',
      'record.json.gz'
    )
    if (packed === undefined) return undefined
    const record: unknown = JSON.parse(gunzipSync(Buffer.from(packed, 'base64')).toString('utf8'))
    return isMap(record) ? record : {}
  }

  /** Who holds the lock; empty: nobody; undefined: there is no Lease. */
  lockHolder(): string | undefined {
    return textField(this.server.at(leasePath), 'spec', 'holderIdentity')
  }

  /** Every write to AWS so far, and every write to the cluster. */
  writes(): { readonly aws: readonly string[]; readonly cluster: readonly string[] } {
    return {
      aws: this.cloud
        .calls()
        .flatMap(({ write, service, action, outcome }) =>
          write && outcome === 'ok' ? [`${service}:${action}`] : []
        ),
      cluster: this.server
        .writes()
        .filter(({ query }) => query.get('dryRun') === null)
        .map(({ method, path }) => `${method} ${path}`)
    }
  }

  async #step(
    given: Given,
    options: PlayedRunOptions,
    state: string,
    step: (ports: Ports) => Promise<void>
  ): Promise<Ended> {
    const folder = mkdtempSync(join(this.#folder, 'step-'))
    const files = Object.fromEntries(runnerFiles.map((name) => [name, join(folder, name)]))
    for (const file of Object.values(files)) writeFileSync(file, '')
    const { accessKeyId, secretAccessKey, sessionToken } = this.#credentials
    // The AWS SDK and the toolkit read them from the process.
    Object.assign(process.env, {
      ...files,
      AWS_ENDPOINT_URL: this.cloud.url,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken
    })
    const before = this.writes()
    const log: string[] = []
    const warnings: string[] = []
    const errors: string[] = []
    const secrets: string[] = []
    const summary: string[] = []
    const listeners = new Set<() => void>()
    const timers = new Set<() => void>()
    let failed: string | undefined
    let skipped = 0
    const clock = {
      now: () => Date.now() + skipped,
      monotonic: () => performance.now() + skipped,
      // Time that a run lets pass takes none.
      pause: async (milliseconds: number, signal: AbortSignal) => {
        signal.throwIfAborted()
        skipped += milliseconds
        options.paused?.()
        await new Promise((resolve) => setImmediate(resolve))
        signal.throwIfAborted()
      },
      every: () => ({ stop: () => undefined })
    }
    const env = {
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      RUNNER_TEMP: folder,
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'org/repo',
      GITHUB_RUN_ID: String(++this.#runs),
      ...options.env
    }
    const runner = withHarmlessLog({
      ...core,
      getInput: (name) => inputOf(name, { 'cluster-name': 'blue', template: 'built-in', ...given }),
      getState: () => state,
      info: (line) => void log.push(line),
      warning: (line) => void warnings.push(line),
      error: (line) => void errors.push(line),
      startGroup: (name) => void log.push(`::group::${name}`),
      endGroup: () => void log.push('::endgroup::'),
      debug: () => undefined,
      setSecret: (secret) => void secrets.push(secret),
      setFailed: (message) => (failed = message)
    })
    const ports: Ports = {
      runner,
      env,
      clock,
      // While the run's time is skipped, answers of the played cluster still take theirs.
      lockPace: realPace,
      signals: {
        once: (_event, listener) => listeners.add(listener),
        off: (_event, listener) => listeners.delete(listener)
      },
      timer: (_milliseconds, callback) => {
        timers.add(callback)
        return { stop: () => timers.delete(callback) }
      },
      findFiles: () => [],
      readFile: (path) => {
        const text = options.files?.[path]
        if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`)
        return text
      },
      appendSummary: async (text) => void summary.push(text),
      session: (inputs, signal, answered) => openSession(inputs, { env, clock, runner }, signal, answered),
      helm: this.helm,
      download: async (url) => Promise.reject(new Error(`nothing is played of ${url.href}`))
    }
    const interference: Interference = {
      cancel: () => [...listeners].forEach((listener) => listener()),
      timeUp: () => [...timers].forEach((callback) => callback())
    }
    const { intercept } = this.server
    this.server.intercept = (call, response) => {
      const dry = call.query.has('dryRun') ? 'dry ' : ''
      options.at?.(`${dry}${call.method} ${call.path}`, interference)
      return intercept(call, response)
    }
    try {
      await step(options.ports?.(ports) ?? ports)
    } finally {
      this.server.intercept = intercept
    }
    const after = this.writes()
    const outputs = values(readFileSync(files['GITHUB_OUTPUT'] ?? '', 'utf8'))
    return {
      failed,
      outputs,
      summary: summary.join(''),
      warnings,
      errors,
      log,
      report: reportAt(outputs['report']),
      secrets,
      state: values(readFileSync(files['GITHUB_STATE'] ?? '', 'utf8'))['cleanup'] ?? '',
      left: { timers: timers.size, listeners: listeners.size },
      writes: {
        aws: after.aws.slice(before.aws.length),
        cluster: after.cluster.slice(before.cluster.length)
      }
    }
  }
}

const leasePath = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/setup-karpenter'
const runnerFiles = ['GITHUB_OUTPUT', 'GITHUB_STATE']
const awsVariables = ['AWS_ENDPOINT_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']

const declared = field(load(readFileSync('action.yml', 'utf8')), 'inputs')

function inputOf(name: string, given: Given): string {
  return given[name] ?? textField(declared, name, 'default') ?? ''
}

/** `name<<delimiter`, the value's lines, `delimiter`: of several of one name the last holds. */
function values(commands: string): Readonly<Record<string, string>> {
  const all = [...commands.matchAll(/^(.+)<<(.+)\r?\n([\s\S]*?)\r?\n\2\r?$/gm)]
  return Object.fromEntries(all.map(([, name = '', , value = '']) => [name, value]))
}

function reportAt(path: string | undefined): Ended['report'] {
  if (path === undefined) return undefined
  const report: unknown = JSON.parse(readFileSync(path, 'utf8'))
  return isMap(report) ? report : {}
}
