import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, rm } from 'node:fs/promises'
import { arch, platform } from 'node:os'
import { join } from 'node:path'
import { create } from 'tar'
import { plainText, type PublishedAnswer, type PublishedRequest } from './answer.js'

export interface HelmSource {
  readonly binary: string
  /** 3.22.0 */
  readonly version: string
}

/** One release of helm for this machine's system, at the paths of get.helm.sh. */
export interface HelmRelease {
  /** Undefined when the path is none of helm's. */
  answer(request: PublishedRequest): Promise<PublishedAnswer | undefined>
  /** From now on, whether the published checksum is the archive's. */
  setChecksum(checksum: 'right' | 'wrong'): void
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

export function helmReleaseOf(source: HelmSource, folder: string): HelmRelease {
  const system = `${platform()}-${architectures[arch()] ?? arch()}`
  const name = `helm-v${source.version}-${system}.tar.gz`
  let checksum: 'right' | 'wrong' = 'right'
  let packed: Promise<Buffer> | undefined
  return {
    setChecksum: (next) => {
      checksum = next
    },
    answer: async (request) => {
      if (!request.path.startsWith('/helm-v')) {
        return undefined
      }
      const [, suffix] = request.path.split(`/${name}`)
      if (suffix === undefined || !['', '.sha256', '.sha256sum'].includes(suffix)) {
        return plainText(404, 'The specified resource does not exist.\n')
      }
      const archive = await (packed ??= pack(source.binary, system, folder))
      if (suffix === '') {
        return { status: 200, headers: { 'content-type': 'application/x-tar' }, body: archive }
      }
      const sum = checksum === 'right' ? createHash('sha256').update(archive).digest('hex') : '0'.repeat(64)
      return plainText(200, suffix === '.sha256' ? sum : `${sum}  ${name}\n`)
    }
  }
}

/** Lightly compressed: it is made in every sandbox that is asked for it, and never travels. */
async function pack(binary: string, system: string, folder: string): Promise<Buffer> {
  const staged = join(folder, 'helm')
  await mkdir(join(staged, system), { recursive: true })
  await copyFile(binary, join(staged, system, 'helm'))
  await chmod(join(staged, system, 'helm'), 0o755)
  const archive = await create(
    { cwd: staged, gzip: { level: 1, portable: true }, portable: true, mtime: new Date(0) },
    [system]
  ).concat()
  await rm(staged, { recursive: true, force: true })
  return archive
}
