import { CancelledError, runSignal, TimeoutError } from './run/cancel.js'
import { Trace } from './engine/calls.js'
import { messageOf, UserError } from './engine/errors.js'
import type { ClusterMode, CombineInputs, Inputs } from './inputs/inputs.js'
import { firstRequestSent } from './run/first-request.js'
import { givenCombineInputs, givenInputs } from './run/given-inputs.js'
import { type Outputs, setOutputs } from './run/outputs.js'
import { type Ports, runnerPorts, runUrl } from './run/ports.js'
import { errorText, stateText } from './report/error-text.js'
import { RunJournal } from './report/journal.js'
import { Ledger } from './report/ledger.js'
import { type Report, reportPath, writeReport } from './report/report.js'
import { failureText, summaryText } from './report/summary.js'
import { PreflightError } from './preflight/index.js'
import type { Run } from './run/run.js'

/** Each loaded where it is asked for: a check has no use for what installs and removes. */
const flows: Readonly<Record<ClusterMode, () => Promise<(run: Run) => Promise<void>>>> = {
  install: async () => (await import('./modes/install.js')).install,
  plan: async () => (await import('./modes/plan.js')).plan,
  check: async () => (await import('./modes/check.js')).check,
  'smoke-test': async () => (await import('./modes/smoke-test.js')).smokeTest,
  uninstall: async () => (await import('./modes/uninstall.js')).uninstall
}

/** The main step: inputs, the mode's flow, then outputs, report and summary, whatever the flow came to. */
export async function main(ports: Ports = runnerPorts()): Promise<void> {
  const startedAt = ports.clock.now()
  let inputs: Inputs | CombineInputs
  try {
    inputs = givenCombineInputs(ports) ?? givenInputs(ports)
  } catch (error) {
    await failEarly(errorText(error, 'No call was made and nothing was changed.'), ports)
    return
  }
  sayOtherModes(inputs, ports)
  if (inputs.mode === 'combine') await runCombine(inputs, ports)
  else await run(inputs, ports, startedAt)
}

/** Loaded only here: no other mode puts reports together. */
async function runCombine(inputs: CombineInputs, ports: Ports): Promise<void> {
  try {
    const { combine } = await import('./modes/combine.js')
    setOutputs(await combine(inputs, ports), (name, value) => ports.runner.setOutput(name, value))
  } catch (error) {
    await failEarly(errorText(error, 'Nothing was changed.'), ports)
  }
}

/** Of a run that has come to nothing that a report could tell of. What asks for no summary gets none. */
async function failEarly(error: string, { runner, appendSummary }: Ports): Promise<void> {
  try {
    if (!/^false$/i.test(runner.getInput('summary')))
      await appendSummary?.(failureText(runner.getInput('cluster-name'), error))
  } catch (failure) {
    runner.warning(`summary: could not be written: ${messageOf(failure)}`)
  }
  runner.setFailed(error)
}

function sayOtherModes({ mode, ofOtherModes }: Inputs | CombineInputs, { runner }: Ports): void {
  if (ofOtherModes.length > 0)
    runner.info(`Inputs that mean nothing in mode ${mode}, and are not used: ${ofOtherModes.join(', ')}`)
}

async function run(inputs: Inputs, ports: Ports, startedAt: number): Promise<void> {
  const cluster = { name: inputs.clusterName, region: inputs.region }
  const ledger = new Ledger(inputs.mode, runUrl(ports.env), cluster, startedAt)
  const { signal, abort, close } = runSignal(ports.signals, ports.timer, inputs.timeoutSeconds)
  const session = ports.session(inputs, signal)
  const journal = new RunJournal(ports.runner, ports.clock, signal, () => session.now())
  const outputs: Outputs = {}
  const calls = new Trace(() => ports.clock.monotonic())
  let ended: Pick<Report, 'result' | 'error'>
  try {
    await calls.run(async () => {
      // Loading takes the one thread there is: what comes after the login is loaded while its first request travels.
      const sent = firstRequestSent()
      // Why it fails is told where it is waited for.
      await Promise.race([sent, session.aws().catch(() => undefined)])
      const flow = await flows[inputs.mode]()
      await flow({ inputs, ports, session, journal, ledger, outputs, signal, abort })
    })
    ended = { result: 'succeeded' }
  } catch (error) {
    if (error instanceof PreflightError) ledger.preflight(error.findings)
    const cause = signal.aborted ? abortError(signal, inputs, error) : error
    ended = {
      result: cause instanceof CancelledError ? 'cancelled' : 'failed',
      error: errorText(cause, stateText(ledger.changes))
    }
  }
  journal.close()
  await session.close()
  close()
  const report = ledger.report({
    ...ended,
    at: ports.clock.now(),
    path: calls.path(),
    requests: session.requests(),
    warnings: journal.warnings
  })
  await publish(report, inputs, ports, outputs)
}

/**
 * Whatever was thrown once the run was told to end is a consequence: the reason for the end is the error, but for what says
 * itself what the run's time ran out on.
 */
function abortError(signal: AbortSignal, inputs: Inputs, thrown: unknown): unknown {
  const reason: unknown = signal.reason
  if (!(reason instanceof TimeoutError)) return reason
  const all: readonly unknown[] = thrown instanceof AggregateError ? thrown.errors : [thrown]
  const explained = all.filter((error) => error instanceof UserError && error.cause === reason)
  if (explained.length > 0) return new AggregateError(explained, reason.message)
  return new Error(
    `${reason.message}; raise \`timeout\` (now ${inputs.timeoutSeconds} s) or look at what the log waits for`
  )
}

/** Outputs first: a summary or report that cannot be written must not cost later steps their facts. */
async function publish(report: Report, inputs: Inputs, ports: Ports, outputs: Outputs): Promise<void> {
  const folder = ports.env['RUNNER_TEMP']
  const attempt = ports.env['GITHUB_RUN_ATTEMPT'] ?? '1'
  const path = folder === undefined ? undefined : reportPath(folder, report, attempt)
  setOutputs(
    { ...outputs, changed: String(report.changed), ...(path !== undefined && { report: path }) },
    (name, value) => ports.runner.setOutput(name, value)
  )
  try {
    if (path !== undefined) writeReport(report, path)
    if (inputs.summary) await ports.appendSummary?.(summaryText(report))
  } catch (error) {
    ports.runner.warning(`report: could not be written: ${messageOf(error)}`)
  }
  if (report.error !== undefined) ports.runner.setFailed(report.error)
}
