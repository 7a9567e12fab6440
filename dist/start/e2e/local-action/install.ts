import { spawnSync } from 'node:child_process'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder, contentHash, fillOnce } from '../../sandbox/build/cache.js'

const manifest = ['package.json', 'package-lock.json'] as const

/**
 * The program of npm's `@github/local-action`, at the version and with the integrity that the lockfile in program/ says. It
 * brings 328 MB, which is no dependency to give everybody: it comes into the sandbox's cache when it is first asked for.
 */
export async function secondRunner(env: NodeJS.ProcessEnv): Promise<string> {
  const files = manifest.map((name) => fileURLToPath(new URL(`program/${name}`, import.meta.url)))
  const folder = join(cacheFolder(env), `local-action-${await contentHash(files, [])}`)
  await fillOnce(
    folder,
    () => undefined,
    async () => {
      for (const [index, name] of manifest.entries()) await copyFile(files[index] ?? name, join(folder, name))
      const install = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
      const { status, stderr } = spawnSync('npm', install, { cwd: folder, encoding: 'utf8', env })
      if (status !== 0)
        throw new Error(`@github/local-action: could not be installed into ${folder}\n${stderr}`)
    }
  )
  return join(folder, 'node_modules', '@github', 'local-action', 'bin', 'local-action.js')
}
