import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { minVersion, satisfies } from 'semver'
import { called } from '../engine/calls.js'
import { messageOf, UserError } from '../engine/errors.js'
import { childEnvironment } from './child-environment.js'
import { downloadFile, downloadText } from './download.js'

/** Where a helm came from, so that a log can say it. */
export interface HelmBinary {
  readonly path: string
  /** Without a leading v. */
  readonly version: string
  readonly source: 'PATH' | 'tool cache' | 'download'
  /** `3.18.6 (on the PATH, satisfies >=3.18.6 <4)`. */
  readonly why: string
}

/** Taken when a download is needed and the range allows it; the version that this action is tested with. */
export const downloadedHelm = '3.22.0'

export interface GetHelmOptions {
  /** Semver range; what is downloaded when no helm is there is downloadedHelm, or the range's lowest version. */
  readonly range: string
  /** `<base>/helm-v<version>-<os>-<arch>.tar.gz`, its checksum beside it at `.sha256sum`. */
  readonly baseUrl: string
  readonly platform: NodeJS.Platform
  /** process.arch. */
  readonly arch: string
  /** A folder for what is being downloaded: RUNNER_TEMP. */
  readonly temporary: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

const systems: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: 'linux',
  darwin: 'darwin',
  win32: 'windows'
}
const archs: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: '386',
  ppc64: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64'
}

/** One on the PATH that satisfies the range, else the tool cache, else a download whose checksum was verified. */
export async function getHelm(options: GetHelmOptions): Promise<HelmBinary> {
  const onPath = await versionOf('helm', options)
  if (onPath !== undefined && satisfies(onPath, options.range)) {
    return {
      path: 'helm',
      version: onPath,
      source: 'PATH',
      why: `${onPath} (on the PATH, satisfies ${options.range})`
    }
  }
  const because =
    onPath === undefined ? 'none on the PATH' : `${onPath} on the PATH does not satisfy ${options.range}`
  const version = satisfies(downloadedHelm, options.range)
    ? downloadedHelm
    : minVersion(options.range)?.version
  if (version === undefined) {
    throw new UserError(
      'helm-version',
      `no version satisfies ${options.range}`,
      'Give a range like >=3.18.6 <4.',
      {
        state: 'Nothing was changed.'
      }
    )
  }
  const cached = await cachedHelm(options, because)
  return cached ?? (await downloadHelm(version, options, because))
}

async function cachedHelm(options: GetHelmOptions, because: string): Promise<HelmBinary | undefined> {
  const { find, findAllVersions } = await import('./tool-cache.js')
  let folder
  try {
    folder = findAllVersions('helm').length === 0 ? '' : find('helm', options.range)
  } catch {
    // No RUNNER_TOOL_CACHE, or one that cannot be read: as good as empty.
    return undefined
  }
  if (folder === '') return undefined
  const path = join(folder, options.platform === 'win32' ? 'helm.exe' : 'helm')
  const version = await versionOf(path, options)
  if (version === undefined || !satisfies(version, options.range)) return undefined
  return { path, version, source: 'tool cache', why: `${version} (tool cache; ${because})` }
}

async function downloadHelm(version: string, options: GetHelmOptions, because: string): Promise<HelmBinary> {
  const system = systems[options.platform]
  const arch = archs[options.arch]
  if (system === undefined || arch === undefined) {
    throw new UserError(
      'helm-version',
      `helm is not published for ${options.platform} on ${options.arch}`,
      'Put a helm that satisfies helm-version on the PATH of the runner.',
      { state: 'Nothing was changed.' }
    )
  }
  const archive = `helm-v${version}-${system}-${arch}.${system === 'windows' ? 'zip' : 'tar.gz'}`
  const base = options.baseUrl.endsWith('/') ? options.baseUrl : `${options.baseUrl}/`
  const url = new URL(archive, base)
  const download = { proxyEnv: options.env, signal: options.signal }
  const folder = await mkdtemp(join(options.temporary, 'setup-karpenter-helm-'))
  try {
    const path = join(folder, archive)
    const [digest, sums] = await reached(
      Promise.all([
        downloadFile(url, path, download),
        downloadText(new URL(`${archive}.sha256sum`, base), download)
      ]),
      options.signal
    )
    const wanted = /\b[0-9a-f]{64}\b/i.exec(sums ?? '')?.[0].toLowerCase()
    if (digest === undefined || wanted === undefined) {
      throw new UserError(
        'helm-download-url',
        `${digest === undefined ? url.href : `${url.href}.sha256sum`} ${digest !== undefined && sums !== undefined ? 'holds no SHA-256' : 'does not exist'}`,
        'The mirror must serve the archive under its upstream name, and the .sha256sum beside it. Check helm-version too.',
        { state: 'Nothing was changed.' }
      )
    }
    if (digest !== wanted) {
      throw new UserError(
        'helm-download-url',
        `${url.href} has SHA-256 ${digest}, its .sha256sum says ${wanted}; it was not unpacked`,
        'The archive was damaged or tampered with: have the mirror fetch both files again from https://get.helm.sh.',
        { state: 'Nothing was changed.' }
      )
    }
    const installed = await install(path, version, `${system}-${arch}`, folder, options)
    return {
      path: installed,
      version,
      source: 'download',
      why: `${version} (downloaded from ${new URL(base).host}, checksum verified; ${because})`
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function reached<R>(downloads: Promise<R>, signal: AbortSignal): Promise<R> {
  try {
    return await downloads
  } catch (error) {
    if (signal.aborted) throw error
    throw new UserError(
      'helm-download-url',
      messageOf(error),
      'Put a helm that satisfies helm-version on the PATH, give helm-download-url a mirror that the runner reaches, or set HTTPS_PROXY.',
      { state: 'Nothing was changed.', cause: error }
    )
  }
}

/** Unpacks the verified archive into the tool cache. */
async function install(
  archive: string,
  version: string,
  folderName: string,
  temporary: string,
  options: GetHelmOptions
): Promise<string> {
  const unpacked = join(temporary, 'unpacked')
  const { cacheDir, extractZip } = await import('./tool-cache.js')
  try {
    if (archive.endsWith('.zip')) await extractZip(archive, unpacked)
    else await extractTar(archive, unpacked, options)
    const folder = await cacheDir(join(unpacked, folderName), 'helm', version)
    return join(folder, options.platform === 'win32' ? 'helm.exe' : 'helm')
  } catch (error) {
    throw new UserError(
      'helm-version',
      `helm ${version} was downloaded and could not be put into the tool cache: ${messageOf(error)}`,
      'RUNNER_TOOL_CACHE must name a folder that the runner may write to; or put helm on the PATH.',
      { state: 'Nothing was changed.', cause: error }
    )
  }
}

/** By the runner's tar, as other setup actions do it: unpacked in this process helm would pass through its memory. */
async function extractTar(archive: string, folder: string, { env }: GetHelmOptions): Promise<void> {
  const { getExecOutput } = await import('@actions/exec')
  await mkdir(folder)
  await getExecOutput('tar', ['-xzof', archive, '-C', folder], { silent: true, env: childEnvironment(env) })
}

/** What `helm version` says, without v; undefined when there is no such helm. */
async function versionOf(path: string, options: GetHelmOptions): Promise<string | undefined> {
  const { getExecOutput } = await import('@actions/exec')
  try {
    const output = await called('helm version', async () =>
      getExecOutput(path, ['version', '--template', '{{.Version}}'], {
        silent: true,
        ignoreReturnCode: true,
        env: childEnvironment(options.env)
      })
    )
    return output.exitCode === 0 ? /^v?(\d+\.\d+\.\d+\S*)/.exec(output.stdout.trim())?.[1] : undefined
  } catch {
    return undefined
  }
}
