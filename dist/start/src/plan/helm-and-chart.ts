import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { begun, joined } from '../engine/calls.js'
import { messageOf } from '../engine/errors.js'
import { once } from '../engine/once.js'
import type { InstallRecord, ProvedChart } from '../engine/record.js'
import type { Step } from '../engine/resource.js'
import type { Chart } from '../helm/chart.js'
import type { HelmBinary } from '../helm/get-helm.js'
import type { Helm } from '../helm/run-helm.js'
import { type Judged, judged } from '../helm/signature/judged.js'
import { provedBefore, provedNow } from '../helm/signature/proved-before.js'
import type { PulledChart } from '../helm/signature/read-signature.js'
import type { Inputs } from '../inputs/inputs.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { type Ports, runUrl } from '../run/ports.js'
import type { Session } from '../run/session.js'
import type { Discovery } from './discovery.js'
import { recordedCrds, recordedRelease } from '../resources/recorded.js'

export interface HelmAndChart {
  /** Prepared when it is first asked for. */
  readonly helm: () => Promise<Helm>
  /** Which helm, for a person: an install makes sure of it before its first write. */
  readonly helmChoice: () => Promise<string>
  readonly chart: Chart
  /** Of this run; undefined where the signature was not proved, or not by this run. */
  readonly provedChart?: ProvedChart
  /** Which chart, for a person. */
  readonly choices: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
}

interface Prepared {
  readonly helm: Helm
  readonly why: string
}

interface Work {
  readonly inputs: Inputs
  readonly found: Pick<Discovery, 'record'> & { readonly kubernetes: Pick<Kubernetes, 'forward'> }
  readonly session: Pick<Session, 'onClose' | 'writes'>
  readonly ports: Ports
  readonly step: Pick<Step, 'signal'>
  /** Where helm is being looked for already. */
  readonly binary?: Promise<HelmBinary> | undefined
}

/**
 * Begins to look for helm, which a fresh runner has to fetch: as long as all that is discovered takes. What it fails of is
 * told where helm is needed, and a run that ends before ends it.
 */
export function lookForHelm(
  { inputs, ports, session }: Pick<Work, 'inputs' | 'ports' | 'session'>,
  signal: AbortSignal
): Promise<HelmBinary> {
  const over = new AbortController()
  session.onClose(() => over.abort(new Error('the run is over')))
  const binary = begun(async () => findHelm(inputs, ports, AbortSignal.any([signal, over.signal])))
  binary.catch(() => undefined)
  return binary
}

/** A removal needs no chart, and helm only where a release stands. */
export function helmAlone(work: Work, chart: Chart): HelmAndChart {
  return { ...neededLater(once(async () => prepare(work))), chart, choices: {}, warnings: [] }
}

/**
 * The chart, pulled, and who signed it. A check of the version that is recorded goes by the record where it cannot be had: it
 * writes nothing, and what was installed is known. It does not go on with a chart that its signature refuses.
 */
export async function helmAndChart(work: Work, version: string): Promise<HelmAndChart> {
  const { inputs, found, ports, session, step } = work
  const prepared = once(async () => prepare(work))
  const helm = async (): Promise<Helm> => (await prepared()).helm
  const folder = await mkdtemp(join(temporaryFolder(ports.env), 'setup-karpenter-chart-'))
  session.onClose(async () => rm(folder, { recursive: true, force: true }))
  const reads = { folder, proxyEnv: ports.env, signal: step.signal }
  let chart: Chart
  try {
    chart = await ports.helm.chart({ ...reads, helm }, inputs.chart, version)
  } catch (error) {
    const recorded = inputs.mode === 'check' ? recordedChart(found.record, version) : undefined
    if (recorded === undefined || step.signal.aborted) throw error
    const choice = `${inputs.chart} ${version}, as recorded, because it could not be had: ${messageOf(error)}`
    return { ...neededLater(prepared), chart: recorded, choices: { Chart: choice }, warnings: [] }
  }
  const { choice, warning, proved } = await signatureOf(
    work,
    { reference: inputs.chart, version, chart },
    folder
  )
  const digest = chart.digest === undefined ? '' : ` ${chart.digest}`
  return {
    ...neededLater(prepared),
    chart,
    ...(proved !== undefined && { provedChart: proved }),
    choices: { Chart: `${inputs.chart} ${version}${digest}`, 'Chart signature': choice },
    warnings: warning === undefined ? [] : [warning]
  }
}

function neededLater(prepared: () => Promise<Prepared>): Pick<HelmAndChart, 'helm' | 'helmChoice'> {
  return {
    helm: async () => (await prepared()).helm,
    helmChoice: async () => (await prepared()).why
  }
}

/** Asked of the registry and of Sigstore in about eight requests, but where nothing is applied and an earlier run has proved it. */
async function signatureOf(
  { inputs, found, ports, step }: Work,
  pulled: PulledChart,
  folder: string
): Promise<Judged & { readonly proved?: ProvedChart | undefined }> {
  const request = inputs.chartSignature
  const before =
    inputs.mode === 'check' || inputs.mode === 'plan'
      ? provedBefore(found.record, request, pulled)
      : undefined
  if (before !== undefined) return { choice: before, warning: undefined }
  const signature = await ports.helm.signature(request, pulled, {
    temporary: folder,
    proxyEnv: ports.env,
    signal: step.signal
  })
  const time = new Date(ports.clock.now()).toISOString()
  const proved = provedNow(signature, request, pulled, { run: runUrl(ports.env), time })
  return { ...judged(signature, request, pulled), proved }
}

/** As much of it as a comparison needs. */
function recordedChart(record: InstallRecord | undefined, version: string): Chart | undefined {
  const crds = recordedCrds(record)
  const release = recordedRelease(record)
  if (crds === undefined || release?.version !== version) return undefined
  return {
    path: '',
    name: 'karpenter',
    version,
    appVersion: version,
    digest: release.digest,
    values: release.values,
    crds
  }
}

async function findHelm(inputs: Inputs, { env, helm }: Ports, signal: AbortSignal): Promise<HelmBinary> {
  return helm.find({
    range: inputs.helmVersion,
    baseUrl: inputs.helmDownloadUrl,
    platform: process.platform,
    arch: process.arch,
    temporary: temporaryFolder(env),
    env,
    signal
  })
}

function temporaryFolder(env: Ports['env']): string {
  return env['RUNNER_TEMP'] ?? '.'
}

async function prepare({ inputs, found, session, ports, step, binary: looking }: Work): Promise<Prepared> {
  const binary = await (looking === undefined ? findHelm(inputs, ports, step.signal) : joined(looking))
  const helm = await ports.helm.prepare({
    path: binary.path,
    version: binary.version,
    temporary: temporaryFolder(ports.env),
    env: ports.env,
    kubernetes: found.kubernetes,
    beforeWrite: session.writes.pass,
    mask: (secret) => ports.runner.setSecret(secret),
    debug: (line) => ports.runner.debug(line),
    signal: step.signal
  })
  session.onClose(async () => helm.close())
  return { helm, why: binary.why }
}
