import { basename } from 'node:path'
import { runCommand } from './command.js'

const pythonMinimum = [3, 11] as const

const goHint = `Go: the sandbox builds Kubernetes, Karpenter and helm from source, with Go 1.21 or newer, which fetches the release of Go that each of them asks for.
  Get it from https://go.dev/dl/, or with \`actions/setup-go\` in a workflow.`
const pythonHint = `Python: the sandbox runs moto for EC2, SQS, EventBridge and SSM, with Python 3.11 or newer and its venv module.
  Get it from https://www.python.org/downloads/, on Debian and Ubuntu with \`apt-get install python3 python3-venv\`, or with \`actions/setup-python\` in a workflow.`

/** What the machine must have, found. */
export interface Toolchains {
  /** `go version` of each module, as it would build it: after a switch to the release that the module asks for. */
  readonly goVersions: ReadonlyMap<string, string>
  /** `3.12.3` */
  readonly pythonVersion: string
}

/** Finds Python, and Go for each of the modules, or says in one error all that is missing and how to get it. */
export async function findToolchains(
  modules: readonly string[],
  env: NodeJS.ProcessEnv
): Promise<Toolchains> {
  const [found, python] = await Promise.all([
    Promise.all(
      modules.map(
        async (module) => [module, await runCommand('go', ['version'], { cwd: module, env })] as const
      )
    ),
    runCommand('python3', ['-c', 'import sys, venv, ensurepip; print(sys.version.split()[0])'], { env })
  ])
  const missing: string[] = []
  const goVersions = new Map<string, string>()
  const goLacks = new Set<string>()
  for (const [module, go] of found) {
    if (go.kind === 'absent') {
      goLacks.add('There is no `go` on the PATH.')
    } else if (go.code !== 0) {
      goLacks.add(`\`go version\` in sandbox/go/${basename(module)} says: ${go.stderr.trim()}`)
    } else {
      goVersions.set(module, go.stdout.trim())
    }
  }
  if (goLacks.size > 0) {
    missing.push([goHint, ...goLacks].join('\n  '))
  }
  if (python.kind === 'absent') {
    missing.push(`${pythonHint}\n  There is no \`python3\` on the PATH.`)
  } else if (python.code !== 0) {
    missing.push(`${pythonHint}\n  \`python3\` says: ${python.stderr.trim().split('\n').at(-1) ?? ''}`)
  } else if (isTooOld(python.stdout)) {
    missing.push(`${pythonHint}\n  The \`python3\` on the PATH is ${python.stdout.trim()}.`)
  }
  if (missing.length > 0 || python.kind === 'absent') {
    throw new Error(`sandbox: this machine lacks what its parts are built with.\n${missing.join('\n')}`)
  }
  return { goVersions, pythonVersion: python.stdout.trim() }
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < pythonMinimum[0] || (major === pythonMinimum[0] && minor < pythonMinimum[1])
}
