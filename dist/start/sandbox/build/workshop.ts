import { join } from 'node:path'
import { contentHash, fillOnce } from './cache.js'
import { runCommand } from './command.js'
import { buildProgram, hashOfProgram, type GoProgram } from './go-program.js'
import { withLock } from './lock.js'
import type { Progress } from './progress.js'
import type { Toolchains } from './requirements.js'

/** Where programs are built, with what, and who is told. */
export interface Workshop {
  readonly cache: string
  /** The folder of the Go modules. */
  readonly modules: string
  readonly env: NodeJS.ProcessEnv
  readonly log: (line: string) => void
  readonly progress: Progress
}

/** A program of PyPI in a virtual environment of its own. */
export interface PythonProgram {
  readonly title: string
  /** The file with every version pinned. */
  readonly requirements: string
  readonly folder: string
}

export async function programFolder(
  cache: string,
  program: GoProgram,
  module: string,
  toolchains: Toolchains
): Promise<string> {
  const hash = await hashOfProgram(program, module, toolchains.goVersions.get(module) ?? '')
  return join(cache, `${program.name}-${hash}`)
}

/** A virtual environment holds its own absolute path, so the cache's place is part of what it is. */
export async function pythonFolder(
  cache: string,
  name: string,
  requirements: string,
  toolchains: Toolchains
): Promise<string> {
  return join(cache, `${name}-${await contentHash([requirements], [toolchains.pythonVersion, cache])}`)
}

export function onWait(log: (line: string) => void, title: string): () => void {
  return () => log(`sandbox: ${title} is being built by another sandbox; waiting for it`)
}

/** Builds a program into its folder, unless it is there; `more` puts beside it what belongs to it. */
export async function fillWithProgram(
  { cache, modules, env, log, progress }: Workshop,
  program: GoProgram,
  folder: string,
  more?: (folder: string) => Promise<void>
): Promise<void> {
  await fillOnce(folder, onWait(log, program.title), async (into) =>
    // One after the other, whoever builds what: each of them keeps every core busy.
    withLock(
      join(cache, 'go build'),
      () => undefined,
      async () =>
        progress.of(program.title, async (at) => {
          await buildProgram(program, join(modules, program.name), join(into, program.name), env, at)
          await more?.(into)
        })
    )
  )
}

export async function fillWithPython(
  { env, log, progress }: Workshop,
  { title, requirements, folder }: PythonProgram
): Promise<void> {
  await fillOnce(folder, onWait(log, title), async (into) =>
    progress.of(`${title} in a Python virtual environment`, () => install(title, into, requirements, env))
  )
}

async function install(
  title: string,
  folder: string,
  requirements: string,
  env: NodeJS.ProcessEnv
): Promise<void> {
  const venv = join(folder, 'venv')
  const steps: readonly (readonly [string, readonly string[]])[] = [
    ['python3', ['-m', 'venv', venv]],
    [
      join(venv, 'bin/python'),
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', requirements]
    ]
  ]
  for (const [program, args] of steps) {
    const result = await runCommand(program, args, { env })
    if (result.kind === 'absent' || result.code !== 0) {
      const reason =
        result.kind === 'absent' ? `there is no ${program}` : result.stderr.trim() || result.stdout.trim()
      throw new Error(
        `${requirements}: installing ${title} failed: ${reason}\n  Nothing of it was kept; start again when the cause is gone.`
      )
    }
  }
}
