import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ActionResult, type Sandbox, startSandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { startDelayingRelay } from './delaying-relay.js'
import type { Figure } from './figure.js'

const megabyte = 1_000_000
const cluster = { kubernetesVersion: '1.35', authenticationMode: 'API' } as const
const inputs = { 'karpenter-version': '1.14.0', template: 'built-in' }
const delays = { aws: 50, kubernetes: 10 } as const

interface Measured {
  readonly result: ActionResult
  /** The JSON report. */
  readonly report: Readonly<Record<string, unknown>>
  /** Files below dist/ that Node loaded. */
  readonly loaded: readonly string[]
}

/** An install with its smoke test, then the same again: memory, requests, seconds. */
export async function installTwice(log: (line: string) => void): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({ ...cluster, name: 'bench', log })
  try {
    const first = await measure(sandbox, { ...inputs, 'smoke-test': 'true' })
    const second = await measure(sandbox, { ...inputs, 'smoke-test': 'true' })
    return [memory(first), ...ofSecondRun(second)]
  } finally {
    await sandbox.stop()
  }
}

/** An install without smoke test on a slow network: its time against its own critical path, and what it loads. */
export async function slowInstall(log: (line: string) => void): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({ ...cluster, name: 'bench-slow', log })
  const relay = await startDelayingRelay(sandbox.controlPlane.endpoint, delays.kubernetes)
  try {
    sandbox.cloud.eks.setEndpoint(sandbox.name, relay.endpoint, sandbox.controlPlane.caCertificate)
    sandbox.cloud.setFaults([{ effect: { kind: 'delay', milliseconds: delays.aws } }])
    const measured = await measure(sandbox, { ...inputs, 'smoke-test': 'false' }, { recordLoads: true })
    return [loaded(measured), ...onItsPath(measured)]
  } finally {
    await relay.stop()
    await sandbox.stop()
  }
}

function memory({ result }: Measured): Figure {
  return {
    name: 'Memory of an install',
    value: (result.maxRssBytes ?? Number.NaN) / megabyte,
    limit: 150,
    unit: 'MB',
    detail: 'most that was resident at once, helm left out'
  }
}

function loaded({ loaded: files }: Measured): Figure {
  return {
    name: 'Loaded from dist by an install',
    value: files.reduce((total, file) => total + statSync(file).size, 0) / megabyte,
    limit: 3,
    unit: 'MB',
    detail: `${files.length} files`
  }
}

function onItsPath({ report }: Measured): readonly Figure[] {
  const seconds = Number(report['seconds'])
  const path = record(report['criticalPath'])
  return [
    {
      name: `Install with ${delays.aws} ms on AWS calls and ${delays.kubernetes} ms on Kubernetes calls, times its critical path`,
      value: seconds / Number(path['seconds']),
      limit: 1.3,
      unit: '',
      detail: `${seconds.toFixed(1)} s, critical path ${Number(path['seconds']).toFixed(1)} s: ${list(path['ids']).join(' > ')}`
    }
  ]
}

function ofSecondRun({ report }: Measured): readonly Figure[] {
  const requests = record(report['requests'])
  const repeated = list(requests['repeated'])
  return [
    {
      name: 'Unchanged second run, writes',
      value: Number(requests['writes']),
      limit: 0,
      unit: ''
    },
    {
      name: 'Unchanged second run, requests made twice',
      value: repeated.length,
      limit: 0,
      unit: '',
      ...(repeated.length > 0 && { detail: repeated.join(', ') })
    },
    { name: 'Unchanged second run, requests', value: Number(requests['total']), limit: 70, unit: '' },
    { name: 'Unchanged second run, time', value: Number(report['seconds']), limit: 1.5, unit: 's' }
  ]
}

/** Runs the action and reads its report. Throws with the action's log when it did not succeed. */
async function measure(
  sandbox: Sandbox,
  given: Readonly<Record<string, string>>,
  options: { readonly recordLoads?: boolean } = {}
): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'setup-karpenter-bench-'))
  const loads = join(folder, 'loads')
  const hook = new URL('record-loads.ts', import.meta.url).href
  try {
    const result = await sandbox.run(given, {
      env: {
        // The report outlives the run there.
        RUNNER_TEMP: folder,
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
