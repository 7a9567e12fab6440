import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import semver from 'semver'

const run = promisify(execFile)
const repository = 'aws/karpenter-provider-aws'

/** What upstream publishes, by version without the v. */
export interface Source {
  /** Releases from 1.0.0 on, ascending, without previews. */
  versions(): Promise<readonly string[]>
  /** Undefined where the source does not have it. */
  file(version: string, path: string): Promise<string | undefined>
}

/** GitHub itself: tags by git, files by the raw host. */
export function github(): Source {
  return {
    versions: async () => {
      const { stdout } = await run('git', ['ls-remote', '--tags', `https://github.com/${repository}`])
      return releasesOf([...stdout.matchAll(/refs\/tags\/(v\S+)$/gm)].map(([, tag = '']) => tag))
    },
    file: async (version, path) => {
      const url = `https://raw.githubusercontent.com/${repository}/v${version}/${path}`
      const answer = await fetch(url)
      if (answer.status === 404) return undefined
      if (!answer.ok) throw new Error(`${url} answers ${answer.status}`)
      return answer.text()
    }
  }
}

/** A git directory, bare or not. */
export function gitDirectory(directory: string): Source {
  const git = async (...args: string[]): Promise<string> =>
    (await run('git', ['-C', directory, ...args], { maxBuffer: 64 << 20 })).stdout
  return {
    versions: async () => releasesOf((await git('tag')).split('\n')),
    file: async (version, path) =>
      git('show', `v${version}:${path}`).catch((error: unknown) => {
        if (/does not exist|invalid object name|exists on disk/.test(String(error))) return undefined
        throw error
      })
  }
}

/**
 * A folder with one for each release, whose name ends with its version, as Go's module cache has them. A file is found by
 * its path, or by its name alone at the top.
 */
export function folder(directory: string): Source {
  const folders = new Map(
    readdirSync(directory).flatMap((name) => {
      const version = /(?:^|@)v?(\d+\.\d+\.\d+)$/.exec(name)?.[1]
      return version === undefined || (name.includes('@') && !name.startsWith(basename(repository)))
        ? []
        : [[version, join(directory, name)] as const]
    })
  )
  return {
    versions: async () => releasesOf([...folders.keys()]),
    file: async (version, path) => {
      const own = folders.get(version)
      const found = own && [join(own, path), join(own, basename(path))].find((each) => existsSync(each))
      return found && readFileSync(found, 'utf8')
    }
  }
}

/** Several, the first that has a file first. */
export function together(sources: readonly Source[]): Source {
  return {
    versions: async () => releasesOf((await Promise.all(sources.map((each) => each.versions()))).flat()),
    file: async (version, path) => {
      for (const source of sources) {
        const text = await source.file(version, path)
        if (text !== undefined) return text
      }
      return undefined
    }
  }
}

function releasesOf(tags: readonly string[]): readonly string[] {
  const versions = tags.flatMap((tag) => semver.valid(tag) ?? [])
  return [...new Set(versions)]
    .filter((version) => semver.prerelease(version) === null && semver.gte(version, '1.0.0'))
    .toSorted(semver.compare)
}
