import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBuilt, newest, type Built } from './build/index.js'
import type { Cloud } from './cloud/index.js'
import type { MotoServices, Vpc } from './cloud/moto/index.js'
import { assemble } from './cluster/assemble.js'
import type { SandboxSpec } from './cluster/spec.js'
import type { ControlPlane, KubernetesRequest } from './control-plane/index.js'
import type { Nodes } from './nodes/index.js'
import type { Proxy } from './proxy.js'
import { startReaper } from './reaper.js'
import type { Published } from './published/index.js'
import type { GitHubApi } from './runner/github-api.js'
import type { IdTokenServer, WorkflowRun } from './runner/id-token.js'
import type { ActionResult, ActionRun } from './runner/run-action.js'

export { builtRelease, newest, oldest, previous, type KarpenterVersion } from './build/index.js'
export type { LaterRelease, SandboxSpec } from './cluster/spec.js'
export type { ActionResult } from './runner/run-action.js'

/** How one run of the action differs from the usual one. */
export interface RunOptions extends Partial<Omit<ActionRun, 'inputs' | 'run' | 'idToken'>> {
  readonly run?: Partial<WorkflowRun>
  /** `missing`: the job lacks `id-token: write`. */
  readonly idToken?: 'granted' | 'missing'
  /** All traffic through the proxy, hosts by their public names. */
  readonly throughProxy?: boolean
}

export interface Sandbox {
  readonly name: string
  readonly region: string
  readonly accountId: string
  readonly built: Built
  readonly cloud: Cloud
  readonly moto: MotoServices
  readonly vpc: Vpc
  readonly controlPlane: ControlPlane
  /** A request to the API server as administrator. */
  readonly kubernetes: KubernetesRequest
  readonly published: Published
  readonly proxy: Proxy
  readonly idTokens: IdTokenServer
  /** The issues of the repository whose workflow runs the action. */
  readonly github: GitHubApi
  readonly nodes: Nodes
  /** CA (PEM) of the hosts behind the proxy, also as a file. */
  readonly caPath: string
  readonly deployerRoleArn: string
  readonly nodeGroupRoleArn: string
  /** Milliseconds from the call, what had to be built left out, until every node was Ready. */
  readonly startedIn: number
  /** Variables with which AWS's tools reach the cloud (no credentials). */
  readonly env: Readonly<Record<string, string>>
  /** Runs dist/ as a step of a workflow; `inputs` go over those that lead it to this sandbox. */
  run(inputs: Readonly<Record<string, string>>, options?: RunOptions): Promise<ActionResult>
  stop(): Promise<void>
}

/** Starts a cluster to order with everything round it. Several can run side by side. */
export async function startSandbox(spec: SandboxSpec = {}): Promise<Sandbox> {
  const log = spec.log ?? ((): void => undefined)
  const later = spec.later === undefined ? [] : [newest]
  const built = await ensureBuilt([...(spec.karpenter ?? [newest]), ...later], log)
  const began = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'setup-karpenter-sandbox-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const reaper = startReaper(folder)
  const stops: (() => Promise<void> | void)[] = [() => reaper.stop(), remove]
  let stopping: Promise<void> | undefined
  const signals = ['SIGINT', 'SIGTERM'] as const
  const stopAll = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) {
      await one()
    }
    process.off('exit', remove)
    for (const signal of signals) {
      process.off(signal, onSignal)
    }
  }
  const stop = async (): Promise<void> => (stopping ??= stopAll())
  // Ends as the signal would have ended the process, once nothing of the sandbox is left.
  const onSignal = (signal: NodeJS.Signals): void => {
    void stop().finally(() => {
      if (process.listenerCount(signal) === 0) {
        process.kill(process.pid, signal)
      }
    })
  }
  process.once('exit', remove)
  for (const signal of signals) {
    process.on(signal, onSignal)
  }
  try {
    const parts = await assemble({ spec, built, folder, log, reaper, onStop: (one) => stops.push(one) })
    return { ...parts, built, startedIn: performance.now() - began, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
