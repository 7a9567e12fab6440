import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { called } from '../engine/calls.js'
import { UserError } from '../engine/errors.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { refusedIn } from '../kubernetes/refusals.js'
import { startApiRelay } from './api-relay.js'
import { childEnvironment } from './child-environment.js'

/** helm, ready to run: isolated from whatever configuration, login or plugin is on the machine. */
export interface Helm {
  /** 3.18.6 */
  readonly version: string
  /** A folder for charts and values; removed by close(). */
  readonly folder: string
  /** Runs helm and hands back what it printed. Throws a UserError with helm's own message. */
  run(args: readonly string[], options?: RunOptions): Promise<HelmOutput>
  close(): Promise<void>
}

export interface HelmOutput {
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** Given on standard input: values may hold secrets and belong neither on a command line nor on disk. */
  readonly stdin?: string
  /** What errors begin with; `helm <verb>` when left out. */
  readonly subject?: string
  readonly fix?: (stderr: string) => string
}

/** helm ended with an error of its own. */
export class HelmError extends UserError {
  /** The API server was in trouble, as helm's Kubernetes client words it: what helm had to do is not at fault. */
  readonly passing: boolean
  constructor(subject: string, said: string, fix: string) {
    super(subject, said, fix)
    this.name = 'HelmError'
    this.passing = inTrouble.test(said) && !/failed calling webhook/.test(said)
  }
}

/**
 * Of Go's net and http packages, of apimachinery's errors.go, and of etcd behind the API server; and what helm says when
 * its own request was carried out and is made once more.
 */
const inTrouble =
  /connection refused|connection reset by peer|broken pipe|no route to host|network is unreachable|no such host|i\/o timeout|TLS handshake timeout|unexpected EOF|\bEOF\b|http2: |net\/http: |use of closed network connection|server closed idle connection|[Cc]lient\.Timeout|client rate limiter|[Tt]oo many requests|currently unable to handle the request|unable to return a response in the time allotted|an error on the server|Internal error occurred|InternalError|etcdserver: |leader changed|apiserver is shutting down|apiserver not ready|Kubernetes cluster unreachable|failed to refresh resource information|\balready exists\b/

export interface HelmOptions {
  readonly path: string
  readonly version: string
  /** RUNNER_TEMP. */
  readonly temporary: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** The cluster's API. */
  readonly kubernetes: Pick<Kubernetes, 'forward'>
  /** Awaited before helm starts to write; rejects when the run may not write any more. */
  readonly beforeWrite: () => Promise<void>
  /** Keeps a secret out of the log; called before the secret is used. */
  readonly mask: (secret: string) => void
  readonly debug: (line: string) => void
  readonly signal: AbortSignal
}

/** Milliseconds that a helm at work gets to finish when the run is over: a cancelled step has ten seconds in all. */
const toFinish = 6_000
/** Which of helm's verbs write to the cluster. */
const writing: ReadonlySet<string | undefined> = new Set(['install', 'upgrade', 'uninstall', 'rollback'])

export async function prepareHelm(options: HelmOptions): Promise<Helm> {
  const folder = await mkdtemp(join(options.temporary, 'setup-karpenter-'))
  const atWork = new Set<Promise<unknown>>()
  const relay = await startApiRelay(options.kubernetes.forward)
  options.mask(relay.secret)
  const docker = join(folder, 'docker')
  await mkdir(docker)
  const isolated = {
    HELM_CONFIG_HOME: join(folder, 'config'),
    HELM_CACHE_HOME: join(folder, 'cache'),
    HELM_DATA_HOME: join(folder, 'data'),
    HELM_REGISTRY_CONFIG: join(folder, 'registry.json'),
    HELM_REPOSITORY_CONFIG: join(folder, 'repositories.yaml'),
    // A stale login to public.ecr.aws, by helm or by docker, is the most common reason that a pull fails.
    DOCKER_CONFIG: docker,
    KUBECONFIG: devNull
  }
  return {
    version: options.version,
    folder,
    run: async (args, run = {}) => {
      const { getExecOutput } = await import('@actions/exec')
      options.debug(`helm ${args.join(' ')}`)
      options.signal.throwIfAborted()
      if (writing.has(args[0])) await options.beforeWrite()
      const running = getExecOutput(options.path, [...args], {
        silent: true,
        ignoreReturnCode: true,
        ...(run.stdin !== undefined && { input: Buffer.from(run.stdin) }),
        env: {
          ...childEnvironment(options.env),
          ...isolated,
          HELM_KUBEAPISERVER: relay.url
        }
      })
      atWork.add(running)
      void running.catch(() => undefined).finally(() => atWork.delete(running))
      const output = await called(`helm ${args[0] ?? ''}`, async () => unlessAborted(running, options.signal))
      if (output.exitCode === 0) return { stdout: output.stdout, stderr: output.stderr }
      const text = errorText(output.stderr) || errorText(output.stdout) || `exit code ${output.exitCode}`
      const said = text.replaceAll(relay.url, 'https://cluster')
      throw new HelmError(
        run.subject ?? `helm ${args[0] ?? ''}`,
        said,
        run.fix?.(output.stderr) ??
          refusedIn(said)?.fix ??
          'Correct what helm names and run again; the release is compared first, so nothing is done twice.'
      )
    },
    close: async () => {
      const lastWords = Promise.allSettled(atWork)
      const over = Promise.withResolvers<undefined>()
      const timer = setTimeout(() => over.resolve(undefined), toFinish)
      await Promise.race([lastWords, over.promise])
      clearTimeout(timer)
      await relay.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** helm is left to end what it has begun, which keeps its release whole; the run does not wait for it. */
async function unlessAborted<R>(running: Promise<R>, signal: AbortSignal): Promise<R> {
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  running.catch(() => undefined)
  try {
    return await Promise.race([running, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** What helm says from its first `Error:` on; its warnings are not the error. */
function errorText(output: string): string {
  const text = output.trim()
  const at = text.search(/^Error: /m)
  return at === -1 ? text : text.slice(at).replace(/^Error: /, '')
}
