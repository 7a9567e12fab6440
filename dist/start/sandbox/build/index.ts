import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder, fillOnce, isBuilt } from './cache.js'
import { goEnvironment, moduleFolder, type GoProgram } from './go-program.js'
import { Progress } from './progress.js'
import { findToolchains } from './requirements.js'
import { controlPlane, helm, helmVersion, karpenter, karpenterModule } from './programs.js'
import type { KarpenterVersion } from './programs.js'
import {
  fillWithProgram,
  fillWithPython,
  onWait,
  programFolder,
  pythonFolder,
  type Workshop
} from './workshop.js'

export { newest, oldest, previous, type KarpenterVersion } from './programs.js'

export interface BuiltKarpenter {
  /** The controller, cmd/controller of that release. */
  readonly binary: string
  /** charts/karpenter of that release's source, as it is there: no crds/, versions that lag. */
  readonly chartDir: string
  /** pkg/apis/crds */
  readonly crdsDir: string
  /** charts/karpenter-crd, as it is there. */
  readonly crdChartDir: string
  /** Has the files of `publishedSource` at their own paths. */
  readonly sourceDir: string
}

/** Files of a release's source that upstream's tag is read for, as far as Go has them: a module has no website/. */
const publishedSource = ['pkg/providers/version/version.go', 'pkg/apis/v1/ec2nodeclass.go'] as const

/** Absolute paths of everything that a sandbox runs. */
export interface Built {
  readonly controlPlane: string
  /** By version, those that were asked for. */
  readonly karpenter: ReadonlyMap<string, BuiltKarpenter>
  /** version without the v: 3.22.0 */
  readonly helm: { readonly binary: string; readonly version: string }
  readonly motoServer: string
}

/**
 * Builds what is missing in the cache (from nothing on two cores about five minutes, and two and a half more for each
 * release of Karpenter) and says where everything is. Throws when the machine lacks Go or Python, naming both and how to
 * get them.
 */
export async function ensureBuilt(
  releases: readonly KarpenterVersion[],
  log: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env
): Promise<Built> {
  const modules = fileURLToPath(new URL('../go/', import.meta.url))
  const requirements = fileURLToPath(new URL('../cloud/moto/requirements.txt', import.meta.url))
  const cache = cacheFolder(env)
  const versions = [...new Set(releases)]
  const moduleOf = (program: GoProgram): string => join(modules, program.name)
  const programs = [controlPlane, ...versions.map(karpenter), helm]
  const toolchains = await findToolchains(programs.map(moduleOf), goEnvironment(env))

  const folderOf = async (program: GoProgram): Promise<string> =>
    programFolder(cache, program, moduleOf(program), toolchains)
  const folders = {
    controlPlane: await folderOf(controlPlane),
    karpenter: await Promise.all(
      versions.map(async (version) => ({ version, folder: await folderOf(karpenter(version)) }))
    ),
    helm: await folderOf(helm),
    moto: await pythonFolder(cache, 'moto', requirements, toolchains)
  }

  const missing = [
    folders.controlPlane,
    ...folders.karpenter.map(({ folder }) => folder),
    folders.helm,
    folders.moto
  ].filter((folder) => !isBuilt(folder))
  const workshop: Workshop = { cache, modules, env, log, progress: new Progress(log, missing.length) }
  const fillWithPrograms = async () => {
    await fillWithProgram(workshop, controlPlane, folders.controlPlane)
    for (const { version, folder } of folders.karpenter) {
      const program = karpenter(version)
      const sourceFolder = async (): Promise<string> => moduleFolder(karpenterModule, moduleOf(program), env)
      await fillWithProgram(workshop, program, folder, async (into) => {
        const source = await sourceFolder()
        await copyWritable(join(source, 'charts/karpenter'), join(into, 'chart'))
        await copyWritable(join(source, 'pkg/apis/crds'), join(into, 'crds'))
      })
      await fillOnce(sourceOf(folder), onWait(log, `the source of Karpenter ${version}`), async (into) => {
        const source = await sourceFolder()
        await copyWritable(join(source, 'charts/karpenter-crd'), join(into, 'charts/karpenter-crd'))
        await Promise.all(
          publishedSource.map(async (path) => copyFileInto(join(source, path), join(into, path)))
        )
      })
    }
    await fillWithProgram(workshop, helm, folders.helm)
  }
  const fillWithMoto = () => fillWithPython(workshop, { title: 'moto', requirements, folder: folders.moto })
  const outcomes = await Promise.allSettled([fillWithPrograms(), fillWithMoto()])
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') {
      throw outcome.reason
    }
  }

  return {
    controlPlane: join(folders.controlPlane, controlPlane.name),
    karpenter: new Map(
      folders.karpenter.map(({ version, folder }) => [
        version,
        {
          binary: join(folder, karpenter(version).name),
          chartDir: join(folder, 'chart'),
          crdsDir: join(folder, 'crds'),
          crdChartDir: join(sourceOf(folder), 'charts/karpenter-crd'),
          sourceDir: sourceOf(folder)
        }
      ])
    ),
    helm: { binary: join(folders.helm, helm.name), version: helmVersion },
    motoServer: join(folders.moto, 'venv/bin/moto_server')
  }
}

/** A release that the sandbox was asked for; throws for any other. */
export function builtRelease(built: Built, version: KarpenterVersion): BuiltKarpenter {
  const found = built.karpenter.get(version)
  if (found === undefined) throw new Error(`Karpenter ${version}: the sandbox was not asked for it`)
  return found
}

/** Apart from the program, which takes minutes to build. */
function sourceOf(folder: string): string {
  return `${folder}-source`
}

/** Go's module cache is read-only; what is copied out of it must be removable again. */
async function copyFileInto(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await writeFile(to, await readFile(from))
}

async function copyWritable(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    await (entry.isDirectory() ? copyWritable(source, target) : copyFileInto(source, target))
  }
}
