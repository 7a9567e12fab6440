import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder, contentHash, fillOnce, isBuilt } from './cache.js'
import { runCommand } from './command.js'
import { buildProgram, goEnvironment, hashOfProgram, moduleFolder, type GoProgram } from './go-program.js'
import { Progress } from './progress.js'
import { findToolchains } from './requirements.js'
import { controlPlane, helm, helmVersion, karpenter, karpenterModule, karpenterVersions } from './programs.js'
import type { KarpenterVersion } from './programs.js'

export { helmVersion, karpenterVersions, type KarpenterVersion } from './programs.js'

export interface BuiltKarpenter {
  /** The controller, cmd/controller of that release. */
  readonly binary: string
  /** charts/karpenter of that release's source, as it is there: no crds/, versions that lag. */
  readonly chartDir: string
  /** pkg/apis/crds */
  readonly crdsDir: string
  /** charts/karpenter-crd, as it is there. */
  readonly crdChartDir: string
}

/** Absolute paths of everything that a sandbox runs. */
export interface Built {
  readonly controlPlane: string
  readonly karpenter: Readonly<Record<KarpenterVersion, BuiltKarpenter>>
  /** version without the v: 3.22.0 */
  readonly helm: { readonly binary: string; readonly version: string }
  readonly motoServer: string
}

/**
 * Builds what is missing in the cache (about eight minutes on two cores from nothing) and says where everything is.
 * Throws when the machine lacks Go or Python, naming both and how to get them.
 */
export async function ensureBuilt(
  log: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env
): Promise<Built> {
  const modules = fileURLToPath(new URL('../go/', import.meta.url))
  const requirements = fileURLToPath(new URL('../cloud/moto/requirements.txt', import.meta.url))
  const toolchains = await findToolchains(join(modules, karpenter['1.14.0'].name), goEnvironment(env))
  const cache = cacheFolder(env)

  const folderOf = async (program: GoProgram) =>
    join(
      cache,
      `${program.name}-${await hashOfProgram(program, join(modules, program.name), toolchains.goVersion)}`
    )
  const folders = {
    controlPlane: await folderOf(controlPlane),
    karpenter: {
      '1.2.1': await folderOf(karpenter['1.2.1']),
      '1.14.0': await folderOf(karpenter['1.14.0'])
    },
    helm: await folderOf(helm),
    // A virtual environment holds its own absolute path, so the cache's place is part of what it is.
    moto: join(cache, `moto-${await contentHash([requirements], [toolchains.pythonVersion, cache])}`)
  }

  /** Apart from the program, which takes minutes to build. */
  const crdChartOf = (version: KarpenterVersion): string => `${folders.karpenter[version]}-crd-chart`

  const missing = [
    folders.controlPlane,
    ...Object.values(folders.karpenter),
    folders.helm,
    folders.moto
  ].filter((folder) => !isBuilt(folder))
  const progress = new Progress(log, missing.length)
  const onWait = (title: string) => () =>
    log(`sandbox: ${title} is being built by another sandbox; waiting for it`)

  const fillWithProgram = (program: GoProgram, folder: string, more?: (folder: string) => Promise<void>) =>
    fillOnce(folder, onWait(program.title), async (into) =>
      progress.of(program.title, async (at) => {
        await buildProgram(program, join(modules, program.name), join(into, program.name), env, at)
        await more?.(into)
      })
    )
  const fillWithPrograms = async () => {
    // One after the other: each of them keeps every core busy.
    await fillWithProgram(controlPlane, folders.controlPlane)
    for (const version of karpenterVersions) {
      const program = karpenter[version]
      const sourceFolder = async (): Promise<string> =>
        moduleFolder(karpenterModule, join(modules, program.name), env)
      await fillWithProgram(program, folders.karpenter[version], async (into) => {
        const source = await sourceFolder()
        await copyWritable(join(source, 'charts/karpenter'), join(into, 'chart'))
        await copyWritable(join(source, 'pkg/apis/crds'), join(into, 'crds'))
      })
      await fillOnce(crdChartOf(version), onWait(`the chart karpenter-crd ${version}`), async (into) =>
        copyWritable(join(await sourceFolder(), 'charts/karpenter-crd'), join(into, 'chart'))
      )
    }
    await fillWithProgram(helm, folders.helm)
  }
  const fillWithMoto = () =>
    fillOnce(folders.moto, onWait('moto'), async (into) =>
      progress.of('moto in a Python virtual environment', () => installMoto(into, requirements, env))
    )
  const outcomes = await Promise.allSettled([fillWithPrograms(), fillWithMoto()])
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') {
      throw outcome.reason
    }
  }

  const karpenterAt = (version: KarpenterVersion): BuiltKarpenter => ({
    binary: join(folders.karpenter[version], karpenter[version].name),
    chartDir: join(folders.karpenter[version], 'chart'),
    crdsDir: join(folders.karpenter[version], 'crds'),
    crdChartDir: join(crdChartOf(version), 'chart')
  })
  return {
    controlPlane: join(folders.controlPlane, controlPlane.name),
    karpenter: { '1.2.1': karpenterAt('1.2.1'), '1.14.0': karpenterAt('1.14.0') },
    helm: { binary: join(folders.helm, helm.name), version: helmVersion },
    motoServer: join(folders.moto, 'venv/bin/moto_server')
  }
}

/** Go's module cache is read-only; what is copied out of it must be removable again. */
async function copyWritable(from: string, to: string): Promise<void> {
  await mkdir(to)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    await (entry.isDirectory() ? copyWritable(source, target) : writeFile(target, await readFile(source)))
  }
}

async function installMoto(folder: string, requirements: string, env: NodeJS.ProcessEnv): Promise<void> {
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
        `sandbox/cloud/moto/requirements.txt: installing moto failed: ${reason}\n  Nothing of it was kept; start again when the cause is gone.`
      )
    }
  }
}
