import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ActionResult, Sandbox } from '../sandbox/index.js'
import { record } from '../sandbox/values.js'

export const megabyte = 1_000_000

export interface MeasureOptions {
  readonly recordLoads?: boolean
  readonly env?: Readonly<Record<string, string>>
  /** The machine's PATH, where it is another than a bare one. */
  readonly path?: string
}

export interface Measured {
  readonly result: ActionResult
  /** The JSON report. */
  readonly report: Readonly<Record<string, unknown>>
  /** Files below dist/ that Node loaded. */
  readonly loaded: readonly string[]
}

/** Runs the action and reads its report. Throws with the action's log when it did not succeed. */
export async function measure(
  sandbox: Sandbox,
  given: Readonly<Record<string, string>>,
  options: MeasureOptions = {}
): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'setup-karpenter-bench-'))
  const loads = join(folder, 'loads')
  const hook = new URL('record-loads.ts', import.meta.url).href
  try {
    const result = await sandbox.run(given, {
      ...(options.path !== undefined && { path: options.path }),
      env: {
        // The report outlives the run there.
        RUNNER_TEMP: folder,
        ...options.env,
        ...(options.recordLoads === true && { NODE_OPTIONS: `--import=${hook}`, BENCH_LOADS: loads })
      }
    })
    if (result.conclusion !== 'success')
      throw new Error(`bench: the run ended in ${result.conclusion}\n${result.log}`)
    const path = result.outputs['report'] ?? ''
    if (!existsSync(path)) throw new Error('bench: the run wrote no report')
    const report: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return { result, report: record(report), loaded: distFiles(loads) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function distFiles(loads: string): readonly string[] {
  if (!existsSync(loads)) return []
  const files = readFileSync(loads, 'utf8')
    .split('\n')
    .filter((url) => url !== '')
    .map((url) => fileURLToPath(url.replace(/\?.*$/, '')))
  return [...new Set(files)].filter((file) => file.includes('/dist/'))
}
