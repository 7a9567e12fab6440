import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { withLock } from './lock.js'

/** Written last into a folder of the cache: without it the folder is what a build that broke off has left. */
const complete = '.complete'

/** The folder for what the sandbox builds: $XDG_CACHE_HOME/setup-karpenter, else ~/.cache/setup-karpenter. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CACHE_HOME']
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'setup-karpenter')
}

/** A hash over files' contents and further facts that decide what a build comes to. */
export async function contentHash(files: readonly string[], facts: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) {
    hash.update(await readFile(file)).update('\0')
  }
  for (const fact of facts) {
    hash.update(fact).update('\0')
  }
  return hash.digest('hex').slice(0, 20)
}

export function isBuilt(folder: string): boolean {
  return existsSync(join(folder, complete))
}

/** Fills a folder of the cache once, whoever else is about to fill it. `build` finds it there and empty. */
export async function fillOnce(
  folder: string,
  onWait: () => void,
  build: (folder: string) => Promise<void>
): Promise<void> {
  if (isBuilt(folder)) {
    return
  }
  await withLock(folder, onWait, async () => {
    if (isBuilt(folder)) {
      return
    }
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    await build(folder)
    await writeFile(join(folder, complete), '')
  })
}
