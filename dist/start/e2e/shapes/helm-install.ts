import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Sandbox } from '../../sandbox/index.js'
import { installedVersion } from './shape.js'

export interface HelmOrder {
  readonly release: string
  readonly namespace: string
  readonly values: Readonly<Record<string, unknown>>
  /** `helm install` when absent. */
  readonly verb?: 'install' | 'upgrade --install'
  /** What stands on the command line besides; --create-namespace and --wait when absent. */
  readonly flags?: readonly string[]
  /** The installed one of every shape when absent. */
  readonly version?: string
}

/** The sandbox's real helm, as an administrator runs it, with the chart as it is published. */
export async function helmInstall(sandbox: Sandbox, order: HelmOrder): Promise<void> {
  const { release, namespace, values, verb = 'install', flags = ['--create-namespace', '--wait'] } = order
  const folder = await mkdtemp(join(tmpdir(), 'helm-of-another-tool-'))
  const valuesFile = join(folder, 'values.json')
  try {
    await writeFile(valuesFile, JSON.stringify(values))
    await helm(sandbox, [
      ...verb.split(' '),
      release,
      sandbox.published.chart,
      ...['--version', order.version ?? installedVersion, '--namespace', namespace],
      ...['--values', valuesFile, '--plain-http', '--timeout', '3m'],
      ...flags
    ])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Answers what helm wrote to stdout; rejects with what it wrote to stderr. */
export async function helm(sandbox: Sandbox, args: readonly string[]): Promise<string> {
  const { built, controlPlane } = sandbox
  const home = await mkdtemp(join(tmpdir(), 'helm-of-another-tool-'))
  try {
    const { stdout } = await promisify(execFile)(built.helm.binary, [...args], {
      env: { PATH: '/usr/bin:/bin', HOME: home, KUBECONFIG: controlPlane.kubeconfigPath }
    })
    return stdout
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}
