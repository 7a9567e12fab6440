import { spawn } from 'node:child_process'

/** What a stage came to. Skipped tests are no failures, but they are shown. */
export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export interface Stage {
  readonly title: string
  /** An npm script and its arguments. */
  readonly script: readonly string[]
  /** A stage that takes longer is ended, with all that it started, and has failed. */
  readonly limitSeconds: number
  readonly count: (exitCode: number) => Counts
}

/** What a person or a machine stops a run with; the group of the stage does not get them by itself. */
const interrupts = ['SIGINT', 'SIGTERM'] as const

/** A stage that is one check: passed or failed as a whole. */
export function oneCheck(exitCode: number): Counts {
  return exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 }
}

export function sum(counts: readonly Counts[]): Counts {
  return {
    passed: counts.reduce((total, count) => total + count.passed, 0),
    failed: counts.reduce((total, count) => total + count.failed, 0),
    skipped: counts.reduce((total, count) => total + count.skipped, 0)
  }
}

/** `12 passed, 0 failed`, and what was skipped where something was. */
export function countsText(counts: Counts): string {
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`
  return `${counts.passed} passed, ${counts.failed} failed${skipped}`
}

/** Runs a stage under a heading, its output shown as it comes, and says what it came to and how long it took. */
export async function runStage(stage: Stage): Promise<Counts> {
  const startedAt = performance.now()
  console.log(`\n==== ${stage.title}: npm run ${stage.script.join(' ')}`)
  const exitCode = await runScript(stage)
  const counts = stage.count(exitCode)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`==== ${stage.title}: ${countsText(counts)} in ${seconds} s`)
  return counts
}

/** The exit code; 1 when the script could not be started, was killed or took too long. */
async function runScript(stage: Stage): Promise<number> {
  return new Promise((resolve) => {
    // A process group of its own: what a stage that hangs has started ends with it.
    const child = spawn('npm', ['run', '--silent', ...stage.script], {
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true
    })
    const endGroup = (signal: NodeJS.Signals): void => {
      if (child.pid !== undefined) process.kill(-child.pid, signal)
    }
    const interrupt = (signal: NodeJS.Signals): void => {
      child.once('exit', () => process.exit(130))
      endGroup(signal)
    }
    const limit = setTimeout(() => {
      console.log(`${stage.title}: not done after ${stage.limitSeconds} s, so it is ended.`)
      endGroup('SIGKILL')
    }, stage.limitSeconds * 1000)
    const done = (code: number): void => {
      clearTimeout(limit)
      for (const signal of interrupts) process.off(signal, interrupt)
      resolve(code)
    }
    for (const signal of interrupts) process.once(signal, interrupt)
    child.once('error', (error) => {
      console.log(`npm: ${error.message}`)
      done(1)
    })
    child.once('exit', (code) => done(code ?? 1))
  })
}
