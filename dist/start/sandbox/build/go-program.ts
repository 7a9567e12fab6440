import { readdir, rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { runCommand } from './command.js'
import { contentHash } from './cache.js'

/** A program built from one of the Go modules in sandbox/go. */
export interface GoProgram {
  /** Name of the module's folder, and of the cache's. */
  readonly name: string
  readonly title: string
  /** Import path of the main package, or `.` */
  readonly package: string
  /** Go variables set by the linker. */
  readonly variables: Readonly<Record<string, string>>
}

const goFlags = ['-mod=readonly', '-buildvcs=false', '-trimpath']

/**
 * Nothing of the user's own Go set-up changes what is built; where modules come from stays theirs. Each module asks for the
 * release of Go that it is built with, so Go may switch to it (https://go.dev/doc/toolchain): the machine's own is often
 * older, and actions/setup-go says `local`.
 */
export function goEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, GOFLAGS: '', GOWORK: 'off', GOTOOLCHAIN: 'auto', CGO_ENABLED: '0' }
}

/** What decides how a program comes out: its module, how it is linked, and the release of Go that its module switches to. */
export async function hashOfProgram(program: GoProgram, module: string, goVersion: string): Promise<string> {
  const sources = (await readdir(module)).filter((file) => /\.go$|^go\.(?:mod|sum)$/.test(file)).sort()
  return contentHash(
    sources.map((file) => join(module, file)),
    [goVersion, program.package, linkerFlags(program), ...goFlags]
  )
}

/** Builds a program into `file`. */
export async function buildProgram(
  program: GoProgram,
  module: string,
  file: string,
  env: NodeJS.ProcessEnv,
  at: (state: string) => void
): Promise<void> {
  const unfinished = `${file}.${process.pid}`
  let packages = 0
  const result = await runCommand(
    'go',
    ['build', '-v', ...goFlags, '-ldflags', linkerFlags(program), '-o', unfinished, program.package],
    {
      cwd: module,
      env: goEnvironment(env),
      onErrorLine: (line) => {
        if (line.startsWith('go: downloading ')) {
          at(`downloading ${line.slice('go: downloading '.length)}`)
        } else if (line !== '') {
          packages += 1
          at(`${packages} packages compiled`)
        }
      }
    }
  )
  if (result.kind === 'absent' || result.code !== 0) {
    const reason = result.kind === 'absent' ? 'there is no `go` on the PATH' : lastLines(result.stderr)
    throw new Error(
      `sandbox/go/${basename(module)}: building ${program.title} failed: ${reason}\n  What was built before it is kept; start again when the cause is gone.`
    )
  }
  await rename(unfinished, file)
}

/** The folder in which Go keeps a module's source. */
export async function moduleFolder(
  modulePath: string,
  module: string,
  env: NodeJS.ProcessEnv
): Promise<string> {
  const result = await runCommand('go', ['list', '-mod=readonly', '-m', '-f', '{{.Dir}}', modulePath], {
    cwd: module,
    env: goEnvironment(env)
  })
  if (result.kind === 'absent' || result.code !== 0 || result.stdout.trim() === '') {
    throw new Error(
      `sandbox/go/${basename(module)}: Go has no source folder for ${modulePath}: ${result.kind === 'absent' ? 'there is no `go` on the PATH' : lastLines(result.stderr)}`
    )
  }
  return result.stdout.trim()
}

/** -s -w: no symbols for debuggers, a third of the size. */
function linkerFlags(program: GoProgram): string {
  const settings = Object.entries(program.variables).map(([name, value]) => `-X ${name}=${value}`)
  return ['-s -w', ...settings].join(' ')
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-15).join('\n  ')
}
