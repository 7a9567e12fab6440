import { runCommand } from './command.js'

/** What the machine must have, found. */
export interface Toolchains {
  /** `go version`, as it would build: after a switch to the release that the modules ask for. */
  readonly goVersion: string
  /** `Python 3.12.3` */
  readonly pythonVersion: string
}

const pythonMinimum = [3, 11] as const

const goHint = `Go: the sandbox builds Kubernetes, Karpenter and helm from source, with Go 1.26.5 or newer (or Go 1.21 or newer with GOTOOLCHAIN=auto).
  Get it from https://go.dev/dl/, or with \`actions/setup-go\` in a workflow.`
const pythonHint = `Python: the sandbox runs moto for EC2, SQS, EventBridge and SSM, with Python 3.11 or newer and its venv module.
  Get it from https://www.python.org/downloads/, on Debian and Ubuntu with \`apt-get install python3 python3-venv\`, or with \`actions/setup-python\` in a workflow.`

/** Finds Go and Python, or says in one error all that is missing and how to get it. `module` is one that will be built. */
export async function findToolchains(module: string, env: NodeJS.ProcessEnv): Promise<Toolchains> {
  const [go, python] = await Promise.all([
    runCommand('go', ['version'], { cwd: module, env }),
    runCommand('python3', ['-c', 'import sys, venv, ensurepip; print(sys.version.split()[0])'], { env })
  ])
  const missing: string[] = []
  if (go.kind === 'absent') {
    missing.push(`${goHint}\n  There is no \`go\` on the PATH.`)
  } else if (go.code !== 0) {
    missing.push(`${goHint}\n  \`go version\` says: ${go.stderr.trim()}`)
  }
  if (python.kind === 'absent') {
    missing.push(`${pythonHint}\n  There is no \`python3\` on the PATH.`)
  } else if (python.code !== 0) {
    missing.push(`${pythonHint}\n  \`python3\` says: ${python.stderr.trim().split('\n').at(-1) ?? ''}`)
  } else if (isTooOld(python.stdout)) {
    missing.push(`${pythonHint}\n  The \`python3\` on the PATH is ${python.stdout.trim()}.`)
  }
  if (missing.length > 0 || go.kind === 'absent' || python.kind === 'absent') {
    throw new Error(`sandbox: this machine lacks what its parts are built with.\n${missing.join('\n')}`)
  }
  return { goVersion: go.stdout.trim(), pythonVersion: python.stdout.trim() }
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < pythonMinimum[0] || (major === pythonMinimum[0] && minor < pythonMinimum[1])
}
