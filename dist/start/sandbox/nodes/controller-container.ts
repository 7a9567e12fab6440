import { setTimeout as pause } from 'node:timers/promises'
import { list, record, text } from '../values.js'
import type { ContainerLog } from './container-log.js'
import { startController, type RunningController } from './controller-process.js'
import { freePorts } from '../control-plane/free-ports.js'
import { POD_IDENTITY_ENDPOINT } from './pod-identity-webhook.js'
import { containerEnvironment, factsOf, projectedTokens, type ProjectedToken } from './pod-environment.js'
import { kubernetesTime, type ContainerReport, type Termination } from './pod-status.js'

/** What the container of a Karpenter pod is run with on this machine. */
export interface ControllerContainerOptions {
  readonly pod: Readonly<Record<string, unknown>>
  readonly container: Readonly<Record<string, unknown>>
  readonly binary: string
  readonly root: string
  readonly log: ContainerLog
  readonly allocatable: Readonly<Record<string, string>>
  readonly apiEndpoint: string
  readonly apiCaData: string
  readonly cloudUrl: string
  /** What the agent's address on the pod's node is here. */
  readonly agentUrl: string
  readonly tokenFor: (token: ProjectedToken) => Promise<string>
  readonly report: (report: ContainerReport) => Promise<void>
  /** Is told of each process, for whoever must end it if this one goes first. */
  readonly onProcess?: (pid: number | undefined, ended: Promise<unknown>) => void
}

export interface ControllerContainer {
  /** Ends the process, as a kubelet does; resolves when it is gone. */
  stop(graceMilliseconds: number): Promise<void>
}

const API_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'
const PROBE_EVERY = 200
const REFRESH_EVERY = 30 * 60 * 1000
/** Kubernetes waits 10 s, 20 s, 40 s ... 5 min; here it is made short. */
const BACK_OFF = [500, 1000, 2000, 4000, 8000] as const

/** Runs the controller until stopped, again after each exit with a growing pause, and reports as a kubelet does. */
export function runControllerContainer(options: ControllerContainerOptions): ControllerContainer {
  const stopping = new AbortController()
  let running: RunningController | undefined
  let restarts = 0
  let lastTermination: Termination | undefined

  /** A kubelet tries again when a volume cannot be mounted: its node's right to the token follows the binding late. */
  const mounted = async (written: () => Promise<Record<string, string>>): Promise<Record<string, string>> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await written()
      } catch (error) {
        options.log.add(`kubelet: MountVolume.SetUp failed: ${String(error)}`)
        const wait = BACK_OFF[Math.min(attempt, BACK_OFF.length - 1)] ?? 8000
        await pause(wait, undefined, { signal: stopping.signal })
      }
    }
  }

  const once = async (): Promise<void> => {
    const tokens = projectedTokens(options.pod, options.container)
    const written = async (): Promise<Record<string, string>> =>
      Object.fromEntries(
        await Promise.all(tokens.map(async (token) => [token.path, await options.tokenFor(token)] as const))
      )
    const [metricsPort = 0, healthPort = 0] = await freePorts(2)
    const env = containerEnvironment(options.pod, options.container, options.allocatable)
    const controller = await startController({
      binary: options.binary,
      args: list(options.container['args']).flatMap((one) => text(one) ?? []),
      env,
      tokens: await mounted(written),
      apiTokenPath: tokens.find((token) => token.path === API_TOKEN)?.path,
      namespace: factsOf(options.pod).namespace,
      apiEndpoint: options.apiEndpoint,
      apiCaData: options.apiCaData,
      root: options.root,
      machine: {
        AWS_ENDPOINT_URL: options.cloudUrl,
        // aws-sdk-go-v2 looks for a web identity at STS by this one alone.
        AWS_ENDPOINT_URL_STS: options.cloudUrl,
        ...(env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] === POD_IDENTITY_ENDPOINT
          ? { AWS_CONTAINER_CREDENTIALS_FULL_URI: options.agentUrl }
          : {})
      },
      metricsPort,
      healthPort,
      onLine: (line) => options.log.add(line)
    })
    options.onProcess?.(controller.pid, controller.ended)
    running = controller
    if (stopping.signal.aborted) {
      await controller.stop(0)
      return
    }
    const startedAt = kubernetesTime(Date.now())
    const exited = new AbortController()
    const refresh = setInterval(() => {
      written()
        .then((fresh) => controller.refresh(fresh))
        .catch(() => undefined)
    }, REFRESH_EVERY)
    const report = (ready: boolean): Promise<void> =>
      options.report({ state: { kind: 'running', startedAt, ready }, restarts, ...termination() })
    const watching = (async () => {
      await report(false)
      let ready = false
      while (!exited.signal.aborted) {
        const now = await probe(options.container, healthPort, metricsPort)
        if (now !== ready && !aborted(exited.signal)) {
          ready = now
          await report(ready)
        }
        await pause(ready ? PROBE_EVERY * 10 : PROBE_EVERY, undefined, { signal: exited.signal }).catch(
          () => undefined
        )
      }
    })()
    const exitCode = await controller.ended
    exited.abort()
    clearInterval(refresh)
    await watching.catch(() => undefined)
    running = undefined
    lastTermination = { exitCode, startedAt, finishedAt: kubernetesTime(Date.now()) }
  }

  const termination = (): { lastTermination?: Termination } =>
    lastTermination === undefined ? {} : { lastTermination }

  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await once()
      if (aborted(stopping.signal)) {
        return
      }
      const wait = BACK_OFF[Math.min(restarts, BACK_OFF.length - 1)] ?? 8000
      restarts++
      const name = text(options.container['name']) ?? ''
      await options.report({
        state: {
          kind: 'waiting',
          reason: 'CrashLoopBackOff',
          message: `back-off ${wait}ms restarting failed container=${name} pod=${factsOf(options.pod).name}`
        },
        restarts,
        ...termination()
      })
      await pause(wait, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (!aborted(stopping.signal)) {
        options.log.turn()
      }
    }
  }
  const finished = loop().catch((error: unknown) => {
    options.log.add(`kubelet: ${String(error)}`)
  })
  return {
    stop: async (grace) => {
      stopping.abort()
      await running?.stop(grace)
      await finished
    }
  }
}

/** A function, so that the compiler does not take an earlier answer for the present one. */
function aborted(signal: AbortSignal): boolean {
  return signal.aborted
}

async function probe(
  container: Readonly<Record<string, unknown>>,
  healthPort: number,
  metricsPort: number
): Promise<boolean> {
  const get = record(record(container['readinessProbe'])['httpGet'])
  const path = text(get['path'])
  if (path === undefined) {
    return true
  }
  const port = text(get['port']) === 'http-metrics' ? metricsPort : healthPort
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
