import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder, isBuilt } from './cache.js'
import { goEnvironment, type GoProgram } from './go-program.js'
import { Progress } from './progress.js'
import { findToolchains } from './requirements.js'
import { fillWithProgram, fillWithPython, programFolder, pythonFolder, type Workshop } from './workshop.js'

const kubectl: GoProgram = {
  name: 'kubectl',
  title: 'kubectl 1.35.4',
  package: 'k8s.io/kubernetes/cmd/kubectl',
  variables: {
    'k8s.io/component-base/version.gitVersion': 'v1.35.4',
    'k8s.io/component-base/version.gitMajor': '1',
    'k8s.io/component-base/version.gitMinor': '35',
    'k8s.io/component-base/version.gitCommit': '',
    'k8s.io/component-base/version.gitTreeState': 'clean'
  }
}

/** Its later releases are at github.com/eksctl-io, which Go's module proxy does not have. */
const eksctl: GoProgram = {
  name: 'eksctl',
  title: 'eksctl 0.215.0',
  package: 'github.com/weaveworks/eksctl/cmd/eksctl',
  variables: {}
}

/** Each with its module in sandbox/go. */
export const peerPrograms: readonly GoProgram[] = [kubectl, eksctl]
export const awscliTitle = 'aws-cli 1.46.3'

/** The programs of the guide's script, but for helm, which the sandbox has anyway: the folder of each, for the PATH. */
export interface Peers {
  readonly folders: readonly string[]
  /** `aws-cli 1.46.3, ...` */
  readonly titles: readonly string[]
}

/**
 * Builds the programs that the action is measured against, where the cache lacks them: from nothing about twenty minutes
 * on two cores, most of it for eksctl. Nothing but `npm run bench -- versus` asks for them.
 */
export async function ensurePeers(
  log: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env
): Promise<Peers> {
  const modules = fileURLToPath(new URL('../go/', import.meta.url))
  const requirements = fileURLToPath(new URL('../../bench/versus/requirements.txt', import.meta.url))
  const cache = cacheFolder(env)
  const toolchains = await findToolchains(
    peerPrograms.map(({ name }) => join(modules, name)),
    goEnvironment(env)
  )
  const folders = await Promise.all(
    peerPrograms.map(async (program) => ({
      program,
      folder: await programFolder(cache, program, join(modules, program.name), toolchains)
    }))
  )
  const awscli = {
    title: awscliTitle,
    requirements,
    folder: await pythonFolder(cache, 'awscli', requirements, toolchains)
  }
  const missing = [awscli, ...folders].filter(({ folder }) => !isBuilt(folder)).length
  const workshop: Workshop = { cache, modules, env, log, progress: new Progress(log, missing) }
  await fillWithPython(workshop, awscli)
  for (const { program, folder } of folders) await fillWithProgram(workshop, program, folder)
  return {
    folders: [join(awscli.folder, 'venv/bin'), ...folders.map(({ folder }) => folder)],
    titles: [awscli, ...peerPrograms].map(({ title }) => title)
  }
}
