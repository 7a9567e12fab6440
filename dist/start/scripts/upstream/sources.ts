import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import semver from 'semver'

const exec = promisify(execFile)

export const repository = 'https://github.com/aws/karpenter-provider-aws'

/** Upstream's files at the tags of its versions. */
export interface Source {
  /** For a person. */
  readonly name: string
  /** 1.0.0 and later, ascending; neither pre-releases nor tags beside them such as v1.7.3-hash-fix-backport. */
  readonly versions: readonly string[]
  /** Undefined where the version has no such file here. */
  read(version: string, path: string): Promise<string | undefined>
  /** Names of the files of a folder; none where there is no such folder. */
  list(version: string, folder: string): Promise<readonly string[]>
}

/** A git directory with upstream's tags, or a folder with a folder for each version. */
export async function sourceAt(path: string): Promise<Source> {
  return isGit(path) ? await gitSource(path) : folderSource(path)
}

function isGit(path: string): boolean {
  return (
    existsSync(join(path, '.git')) || (existsSync(join(path, 'HEAD')) && existsSync(join(path, 'objects')))
  )
}

async function gitSource(path: string): Promise<Source> {
  const git = gitIn(path)
  const tags = (await git('tag', '--list', 'v*')).split('\n')
  return {
    name: path,
    versions: ascending(tags.map((tag) => tag.replace(/^v/, ''))),
    read: async (version, file) =>
      (await git('ls-tree', '--name-only', `v${version}`, file)) === ''
        ? undefined
        : await git('show', `v${version}:${file}`),
    list: async (version, folder) =>
      (await git('ls-tree', '--name-only', `v${version}`, `${folder}/`))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => basename(line))
  }
}

/**
 * Folders called `1.2.3`, `v1.2.3` or, as Go keeps modules, `karpenter-provider-aws@v1.2.3`. A file lies in them at
 * upstream's path or by its name alone.
 */
function folderSource(path: string): Source {
  const folders = new Map(
    readdirSync(path).flatMap((name): readonly (readonly [string, string])[] => {
      const version = /^(?:karpenter-provider-aws@)?v?(\d+\.\d+\.\d+)$/.exec(name)?.[1]
      return version === undefined ? [] : [[version, join(path, name)]]
    })
  )
  return {
    name: path,
    versions: ascending([...folders.keys()]),
    read: async (version, file) => {
      const folder = folders.get(version)
      const found =
        folder === undefined
          ? undefined
          : [join(folder, file), join(folder, basename(file))].find((one) => existsSync(one))
      return found === undefined ? undefined : readFileSync(found, 'utf8')
    },
    list: async (version, folder) => {
      const at = join(folders.get(version) ?? '', folder)
      return folders.has(version) && existsSync(at) ? readdirSync(at) : []
    }
  }
}

/** Several as one: each file is the first's that has it. */
export function together(sources: readonly Source[]): Source {
  const [only] = sources
  if (only !== undefined && sources.length === 1) return only
  return {
    name: sources.map(({ name }) => name).join(', '),
    versions: ascending(sources.flatMap(({ versions }) => versions)),
    read: async (version, file) => {
      for (const source of sources) {
        const text = source.versions.includes(version) ? await source.read(version, file) : undefined
        if (text !== undefined) return text
      }
      return undefined
    },
    list: async (version, folder) => {
      for (const source of sources) {
        const names = source.versions.includes(version) ? await source.list(version, folder) : []
        if (names.length > 0) return names
      }
      return []
    }
  }
}

/** Versions that a repository has tags of, without fetching anything. */
export async function publishedVersions(url: string): Promise<readonly string[]> {
  const { stdout } = await exec('git', ['ls-remote', '--tags', '--refs', url, 'refs/tags/v*'])
  return ascending(stdout.split('\n').map((line) => line.split('refs/tags/v')[1] ?? ''))
}

/**
 * The files of some versions alone: no history, and the text of a file only when it is read. `end` takes the folder that
 * they are kept in away.
 */
export async function fetched(
  url: string,
  versions: readonly string[]
): Promise<{ readonly source: Source; readonly end: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'karpenter-upstream-'))
  const end = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const git = gitIn(folder)
    await git('init', '--quiet', '--bare')
    await git('remote', 'add', 'origin', url)
    const tags = versions.map((version) => `refs/tags/v${version}:refs/tags/v${version}`)
    await git('fetch', '--quiet', '--depth=1', '--filter=blob:none', '--no-tags', 'origin', ...tags)
    return { source: { ...(await gitSource(folder)), name: url }, end }
  } catch (error) {
    end()
    throw error
  }
}

function gitIn(path: string): (...args: readonly string[]) => Promise<string> {
  return async (...args) => {
    const { stdout } = await exec('git', ['-C', path, ...args], { maxBuffer: 64 * 1024 * 1024 })
    return stdout
  }
}

function ascending(versions: readonly string[]): readonly string[] {
  const stable = new Set(
    versions.filter((version) => /^\d+\.\d+\.\d+$/.test(version) && semver.gte(version, '1.0.0'))
  )
  return [...stable].toSorted(semver.compare)
}
