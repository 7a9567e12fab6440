import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** A running part of the control plane. */
export interface Part {
  readonly name: string
  readonly logFile: string
  /** Settles when the process is gone: undefined after stop(), else what it said last. */
  readonly ended: Promise<Error | undefined>
  stop(): Promise<void>
}

/** Starts a part. Its log goes to a file; it ends with this process, however this process ends. */
export function startPart(program: string, name: string, args: readonly string[], logFile: string): Part {
  const log = openSync(logFile, 'a')
  const child = spawn(program, [name, ...args], {
    stdio: ['pipe', log, log],
    env: { PATH: process.env['PATH'], EXIT_WITH_STDIN: '1' }
  })
  closeSync(log)
  child.stdin?.on('error', () => undefined)
  let stopped = false
  const ended = new Promise<Error | undefined>((resolve) => {
    child.on('error', (error) => resolve(new Error(`${name}: ${program} does not start: ${error.message}`)))
    child.on('exit', (code, signal) => {
      if (stopped) {
        resolve(undefined)
        return
      }
      void lastLines(logFile).then((lines) =>
        resolve(
          new Error(
            `${name}: ended by itself (${signal ?? `exit code ${code ?? '?'}`}); its log ${logFile} ends:\n${lines}`
          )
        )
      )
    })
  })
  return {
    name,
    logFile,
    ended,
    stop: async () => {
      stopped = true
      // Nothing is worth saving: the state goes with the sandbox, and a graceful end takes seconds.
      child.kill('SIGKILL')
      await ended
    }
  }
}

async function lastLines(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trimEnd().split('\n').slice(-12).join('\n')
}
