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
  /** What stands on the command line besides: --wait, --create-namespace, --skip-crds. */
  readonly flags?: readonly string[]
  /** 1.2.1 when absent. */
  readonly version?: string
}

/** The sandbox's real helm, as an administrator runs it, with the chart as it is published. */
export async function helmInstall(sandbox: Sandbox, order: HelmOrder): Promise<void> {
  const { release, namespace, values, verb = 'install', flags = ['--create-namespace', '--wait'] } = order
  const folder = await mkdtemp(join(tmpdir(), 'helm-of-another-tool-'))
  const valuesFile = join(folder, 'values.json')
  try {
    await writeFile(valuesFile, JSON.stringify(values))
    await promisify(execFile)(
      sandbox.built.helm.binary,
      [
        ...verb.split(' '),
        release,
        sandbox.published.chart,
        ...['--version', order.version ?? installedVersion, '--namespace', namespace],
        ...['--values', valuesFile, '--plain-http', '--timeout', '3m'],
        ...flags
      ],
      { env: { PATH: '/usr/bin:/bin', HOME: folder, KUBECONFIG: sandbox.controlPlane.kubeconfigPath } }
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
