import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

/** What one start of the controller needs. Paths in `env` and `tokens` are the container's. */
export interface ControllerStart {
  readonly binary: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Token text by its path in the container. */
  readonly tokens: Readonly<Record<string, string>>
  /** Path in the container of the token for the API server; none without automount. */
  readonly apiTokenPath: string | undefined
  readonly namespace: string
  readonly apiEndpoint: string
  readonly apiCaData: string
  /** Folder that stands for the container's root. */
  readonly root: string
  /** Variables of the process that the pod does not have: where AWS and the agent are on this machine. */
  readonly machine: Readonly<Record<string, string>>
  readonly metricsPort: number
  readonly healthPort: number
  readonly onLine: (line: string) => void
}

export interface RunningController {
  readonly pid: number | undefined
  /** Exit code; 128 and the signal's number when a signal ended it. */
  readonly ended: Promise<number>
  /** Writes fresh tokens where the process reads them. */
  refresh(tokens: Readonly<Record<string, string>>): Promise<void>
  /** SIGTERM, and SIGKILL after the grace period. */
  stop(graceMilliseconds: number): Promise<void>
}

/** Starts Karpenter's controller as its container would start it, with the container's files below a folder. */
export async function startController(start: ControllerStart): Promise<RunningController> {
  const placed = (path: string): string => join(start.root, path)
  const refresh = async (tokens: Readonly<Record<string, string>>): Promise<void> => {
    for (const [path, token] of Object.entries(tokens)) {
      await mkdir(dirname(placed(path)), { recursive: true })
      await writeFile(placed(path), token, { mode: 0o600 })
    }
  }
  await mkdir(start.root, { recursive: true })
  await refresh(start.tokens)
  const kubeconfig = join(start.root, 'kubeconfig')
  await writeFile(kubeconfig, kubeconfigOf(start, placed), { mode: 0o600 })

  const env = Object.fromEntries(
    Object.entries(start.env).map(([name, value]) => [name, value in start.tokens ? placed(value) : value])
  )
  const child = spawn(start.binary, start.args, {
    cwd: start.root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: '/usr/bin:/bin',
      ...env,
      // Outside a pod the namespace of the lease cannot be read from the container's files.
      LEADER_ELECTION_NAMESPACE: env['LEADER_ELECTION_NAMESPACE'] ?? start.namespace,
      KUBECONFIG: kubeconfig,
      // Several controllers share this machine's ports, as pods of a cluster do not.
      METRICS_PORT: String(start.metricsPort),
      HEALTH_PROBE_PORT: String(start.healthPort),
      ...start.machine
    }
  })
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', start.onLine)
  }
  const withParent = (): void => void child.kill('SIGKILL')
  process.once('exit', withParent)
  const ended = exitOf(child).finally(() => process.off('exit', withParent))
  return {
    pid: child.pid,
    ended,
    refresh,
    stop: async (grace) => {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), grace)
      await ended
      clearTimeout(timer)
      await rm(start.root, { recursive: true, force: true })
    }
  }
}

async function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(127))
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)))
  })
}

function kubeconfigOf(start: ControllerStart, placed: (path: string) => string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'cluster',
        cluster: { server: start.apiEndpoint, 'certificate-authority-data': start.apiCaData }
      }
    ],
    users: [
      {
        name: 'pod',
        user: start.apiTokenPath === undefined ? {} : { tokenFile: placed(start.apiTokenPath) }
      }
    ],
    contexts: [{ name: 'pod', context: { cluster: 'cluster', user: 'pod', namespace: start.namespace } }],
    'current-context': 'pod'
  })
}
