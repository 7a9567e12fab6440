import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBuilt, newest } from './build/index.js'
import { assemble } from './cluster/assemble.js'
import type { SandboxSpec } from './cluster/spec.js'
import { startReaper } from './reaper.js'
import type { Sandbox } from './sandbox.js'

export { builtRelease, newest, oldest, previous, type KarpenterVersion } from './build/index.js'
export type { LaterRelease, SandboxSpec } from './cluster/spec.js'
export type { ActionResult } from './runner/run-action.js'
export type { RunOptions, Sandbox } from './sandbox.js'

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
