import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { archiveTypes } from '../src/helm/pull.js'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { checkIsClean } from './clean-check.js'
import { errorOf, refusedBeforeWriting } from './failed-run.js'
import { at, reportOf, succeeded } from './scenario.js'

const inputs = { 'karpenter-version': newest, 'smoke-test': 'false' }
const systemPath = '/usr/bin:/bin'

/** Folders in which docker and helm keep logins, each with one for this registry that has run out. */
async function staleLogins(home: string, registry: string): Promise<void> {
  const login = { auths: { [registry]: { auth: Buffer.from('AWS:expired').toString('base64') } } }
  for (const folder of ['.docker', '.config/helm/registry']) {
    await mkdir(join(home, folder), { recursive: true })
    await writeFile(join(home, folder, 'config.json'), JSON.stringify(login))
  }
}

describe('helm', () => {
  let sandbox: Sandbox
  let folder: string
  let toolCache: string
  let installed: ActionResult

  beforeAll(async () => {
    sandbox = await startSandbox({ name: 'green', region: 'eu-west-1', kubernetesVersion: '1.34' })
    folder = await mkdtemp(join(tmpdir(), 'helm-'))
    toolCache = join(folder, 'tools')
    await staleLogins(join(folder, 'home'), `127.0.0.1:${sandbox.published.port}`)
  })
  afterAll(async () => {
    await sandbox.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('the media types by which a chart is known in a registry are those in helm itself', async () => {
    const program = await readFile(sandbox.built.helm.binary)
    expect(archiveTypes.filter((type) => !program.includes(type))).toEqual([])
  })

  /** What was asked of the publisher meanwhile. */
  async function withRequests(
    run: () => Promise<ActionResult>
  ): Promise<{ result: ActionResult; paths: readonly string[] }> {
    const before = sandbox.published.requests.length
    const result = await run()
    return { result, paths: sandbox.published.requests.slice(before).map(({ path }) => path) }
  }

  const archives = (paths: readonly string[]): readonly string[] =>
    paths.filter((path) => path.startsWith('/helm-v')).toSorted()

  test('an archive with another checksum than the published one is refused and not unpacked', async () => {
    sandbox.published.setHelmChecksum('wrong')
    const { result, paths } = await withRequests(async () =>
      sandbox.run(inputs, { path: systemPath, toolCache })
    )
    sandbox.published.setHelmChecksum('right')
    await refusedBeforeWriting(sandbox, result, [
      /^setup-karpenter: helm-download-url: .*\/helm-v.*\.tar\.gz has SHA-256 [0-9a-f]{64}, its \.sha256sum says 0{64}; it was not unpacked/
    ])
    expect(archives(paths)).toHaveLength(2)
    expect(await readdir(toolCache)).toEqual([])
  })

  test('a mirror without that version is named', async () => {
    const result = await sandbox.run(
      { ...inputs, 'helm-download-url': `${sandbox.published.url}/mirror` },
      { path: systemPath, toolCache }
    )
    await refusedBeforeWriting(sandbox, result, [
      /^setup-karpenter: helm-download-url: .*\/mirror\/helm-v.* does not exist/
    ])
  })

  test.each([
    [
      'another workflow',
      'it carries a wrong signature: it was signed by aws/karpenter-provider-aws/.github/workflows/ci.yaml@refs/heads/main, not by '
    ],
    ['none', 'it carries no signature']
  ] as const)('where a signature is required, a chart signed by %s is refused', async (signing, reason) => {
    sandbox.published.setSigning(signing)
    const result = await sandbox.run({ ...inputs, 'chart-signature': 'require' })
    sandbox.published.setSigning('release')
    const digest = sandbox.published.chartDigest(newest) ?? ''
    const said = `setup-karpenter: chart: ${sandbox.published.chart} ${newest} (${digest}): ${reason}`
    await refusedBeforeWriting(sandbox, result, [])
    expect(errorOf(result).startsWith(said)).toBe(true)
    expect(errorOf(result)).toContain('Nothing was changed.')
  })

  test('the logins are stale: helm itself fails by them', async () => {
    const pull = promisify(execFile)(
      sandbox.built.helm.binary,
      ['pull', sandbox.published.chart, '--version', newest, '--plain-http'],
      { cwd: folder, env: { PATH: systemPath, HOME: join(folder, 'home') } }
    )
    await expect(pull).rejects.toThrow(/403|denied|expired/i)
  })

  test('helm is taken from the mirror, and a stale login of the registry does no harm', async () => {
    const { result, paths } = await withRequests(async () =>
      sandbox.run(inputs, { path: systemPath, toolCache, env: { HOME: join(folder, 'home') } })
    )
    installed = succeeded(result)
    expect(result.log).toContain(`downloaded from 127.0.0.1:${sandbox.published.port}, checksum verified`)
    const { version } = sandbox.built.helm
    expect(archives(paths)).toEqual([
      expect.stringMatching(new RegExp(`^/helm-v${version}-.*\\.tar\\.gz$`)),
      expect.stringMatching(new RegExp(`^/helm-v${version}-.*\\.tar\\.gz\\.sha256sum$`))
    ])
    const pulled = sandbox.published.requests.filter(({ path }) => path.includes(`/manifests/${newest}`))
    expect(pulled.map(({ authorization }) => authorization)).not.toContain('basic')
    expect(result.outputs['chart-digest']).toBe(sandbox.published.chartDigest(newest))
    expect(await readdir(toolCache)).toEqual(['helm'])
  })

  test('log, report and summary say by whom the chart was signed', () => {
    const by = `by aws/karpenter-provider-aws/.github/workflows/release.yaml@refs/tags/v${newest} on 20`
    expect(installed.log).toContain(`Chart signature: ${by}`)
    expect(String(at(reportOf(installed), 'choices', 'Chart signature'))).toMatch(
      new RegExp(`^${by.replaceAll('.', '\\.')}.*, log entry \\d+ \\(by chart-trust-root\\)$`)
    )
    expect(installed.summary).toContain(
      '**Chart signature**: by aws/karpenter-provider-aws/.github/workflows/release.yaml'
    )
    expect(installed.annotations.map(({ message }) => message).join('\n')).not.toContain('signature')
  })

  test('a check finds nothing, and writes nothing', async () => {
    await checkIsClean(sandbox, inputs, { path: systemPath, toolCache })
  })

  test('a later run takes it from the tool cache, and a signature of the form of cosign 3 is as good', async () => {
    sandbox.published.setSigning('bundle')
    const { result, paths } = await withRequests(async () =>
      sandbox.run(
        // An install that changes nothing of the release needs no helm.
        { ...inputs, 'chart-signature': 'require', 'helm-values': 'logLevel: debug' },
        { path: systemPath, toolCache }
      )
    )
    sandbox.published.setSigning('none')
    succeeded(result)
    expect(result.log).toContain(`release.yaml@refs/tags/v${newest} on 20`)
    expect(result.log).toContain('(tool cache; none on the PATH)')
    expect(archives(paths)).toEqual([])
    expect(result.outputs['changed']).toBe('true')
  })

  test('one on the PATH that satisfies helm-version is used as it is', async () => {
    const binaries = join(folder, 'bin')
    await mkdir(binaries)
    await symlink(sandbox.built.helm.binary, join(binaries, 'helm'))
    const { result, paths } = await withRequests(async () =>
      sandbox.run(inputs, { path: `${binaries}:${systemPath}`, env: { HOME: join(folder, 'home') } })
    )
    succeeded(result)
    expect(result.log).toContain(`${sandbox.built.helm.version} (on the PATH, satisfies`)
    // The chart has lost its signature meanwhile.
    expect(result.annotations.map(({ message }) => message).join('\n')).toContain('it carries no signature')
    expect(archives(paths)).toEqual([])
    expect(result.outputs['changed']).toBe('true')
  })

  test('where nothing of the release is changed, no helm is waited for', async () => {
    const { result, paths } = await withRequests(async () => sandbox.run(inputs, { path: systemPath }))
    succeeded(result)
    expect(result.log).not.toMatch(/^helm: /m)
    expect(result.outputs['changed']).toBe('false')
    expect(paths.some((path) => path.includes(`/manifests/${newest}`))).toBe(true)
  })
})
