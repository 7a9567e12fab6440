import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@actions/core'
import { runnerPorts, type Ports } from '../src/run/ports.js'
import { RunJournal } from '../src/report/journal.js'
import { Ledger } from '../src/report/ledger.js'
import type { Report } from '../src/report/report.js'
import type { Run } from '../src/run/run.js'
import { openSession } from '../src/run/session.js'
import { inputsOf } from './given-inputs.js'

export interface LocalRun {
  readonly run: Run
  /** The log, with groups and warnings as GitHub's own commands. */
  readonly log: readonly string[]
  /** What post is handed as state of that name; empty where nothing, or nothing any more. */
  state(name: string): string
  report(): Report
  end(): void
}

/** A run of cluster blue as main makes it. The toolkit is the real one, its files are in a folder of their own. */
export function localRun(given: Readonly<Record<string, string>> = {}): LocalRun {
  const folder = mkdtempSync(join(tmpdir(), 'setup-karpenter-run-'))
  const stateFile = join(folder, 'state')
  writeFileSync(stateFile, '')
  process.env['GITHUB_STATE'] = stateFile
  const log: string[] = []
  const ports: Ports = {
    ...runnerPorts(),
    env: {
      RUNNER_TEMP: folder,
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'org/repo',
      GITHUB_RUN_ID: '7'
    },
    runner: {
      ...core,
      info: (line) => void log.push(line),
      warning: (line) => void log.push(`::warning::${line}`),
      error: (line) => void log.push(`::error::${line}`),
      startGroup: (name) => void log.push(`::group::${name}`),
      endGroup: () => void log.push('::endgroup::')
    }
  }
  const inputs = inputsOf({ 'cluster-name': 'blue', ...given })
  const aborting = new AbortController()
  const { signal } = aborting
  const journal = new RunJournal(ports.runner, ports.clock, signal)
  const ledger = new Ledger(inputs.mode, 'local', { name: 'blue', region: inputs.region }, ports.clock.now())
  const session = openSession(inputs, ports, signal)
  return {
    run: {
      inputs,
      ports,
      session,
      journal,
      ledger,
      outputs: {},
      signal,
      abort: (reason) => aborting.abort(reason)
    },
    log,
    state: (name) => lastState(readFileSync(stateFile, 'utf8'), name),
    report: () =>
      ledger.report({
        result: 'succeeded',
        at: ports.clock.now(),
        requests: session.requests(),
        warnings: journal.warnings
      }),
    end: () => {
      journal.close()
      delete process.env['GITHUB_STATE']
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** `name<<delimiter`, the value's lines, `delimiter`: of several the last holds. */
function lastState(commands: string, name: string): string {
  const all = [...commands.matchAll(/^(.+)<<(.+)\r?\n([\s\S]*?)\r?\n\2\r?$/gm)]
  return all.findLast(([, key]) => key === name)?.[3] ?? ''
}
