import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { create } from 'tar'
import { listen, type Listening } from '../../sandbox/listen.js'
import { downloadedHelm, getHelm, type GetHelmOptions } from '../../src/helm/get-helm.js'

const kept = {
  PATH: process.env['PATH'],
  RUNNER_TEMP: process.env['RUNNER_TEMP'],
  RUNNER_TOOL_CACHE: process.env['RUNNER_TOOL_CACHE']
}
let folder: string
let mirror: Listening
let files: Map<string, Buffer>
let asked: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'get-helm-'))
  for (const name of ['bin', 'temp', 'cache']) mkdirSync(join(folder, name))
  // The tool cache reads these itself, and only programs below bin may be found.
  Object.assign(process.env, {
    PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
    RUNNER_TEMP: join(folder, 'temp'),
    RUNNER_TOOL_CACHE: join(folder, 'cache')
  })
  files = new Map()
  asked = []
  const server: Server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const file = files.get(request.url ?? '')
    if (file === undefined) response.writeHead(404).end('no')
    else response.end(file)
  })
  mirror = await listen(server)
  // One that does not satisfy the range hides whatever the machine has.
  script(join(folder, 'bin', 'helm'), '3.10.0')
})
afterEach(async () => {
  Object.assign(process.env, kept)
  await mirror.close()
  rmSync(folder, { recursive: true })
})

const options = (more: Partial<GetHelmOptions> = {}): GetHelmOptions => ({
  range: '>=3.18.6 <4',
  baseUrl: `http://127.0.0.1:${mirror.port}/mirror`,
  platform: 'linux',
  arch: 'x64',
  temporary: join(folder, 'temp'),
  env: { PATH: process.env['PATH'] },
  signal: new AbortController().signal,
  ...more
})

test("a program that is only asked what it is, and tar, get nothing of the runner's secrets", async () => {
  const seen = join(folder, 'seen')
  const noting = (name: string, then: string): void => {
    const path = join(folder, 'bin', name)
    writeFileSync(path, `#!/bin/sh\nenv >> ${seen}\n${then}\n`)
    chmodSync(path, 0o755)
  }
  noting('helm', 'printf v3.10.0')
  noting('tar', 'exec /bin/tar "$@"')
  const secrets = { AWS_SECRET_ACCESS_KEY: 'aws-secret', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'id-token' }
  Object.assign(process.env, secrets)
  try {
    await publish(downloadedHelm)
    await getHelm(options({ env: { PATH: process.env['PATH'], ...secrets } }))
  } finally {
    for (const name of Object.keys(secrets)) Reflect.deleteProperty(process.env, name)
  }
  const given = readFileSync(seen, 'utf8')
  expect(given.match(/^PATH=/gm)?.length).toBeGreaterThanOrEqual(2)
  expect(given).not.toMatch(/aws-secret|id-token/)
})

function script(path: string, version: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `#!/bin/sh\nprintf v${version}\n`)
  chmodSync(path, 0o755)
}

async function publish(version: string, checksum?: string): Promise<void> {
  const made = join(folder, 'made')
  script(join(made, 'linux-amd64', 'helm'), version)
  const archive = join(folder, 'helm.tar.gz')
  await create({ file: archive, cwd: made, gzip: true }, ['linux-amd64'])
  const bytes = (await import('node:fs')).readFileSync(archive)
  const name = `/mirror/helm-v${version}-linux-amd64.tar.gz`
  files.set(name, bytes)
  const digest = checksum ?? createHash('sha256').update(bytes).digest('hex')
  files.set(`${name}.sha256sum`, Buffer.from(`${digest}  helm-v${version}-linux-amd64.tar.gz\n`))
}

test('a helm on the PATH that satisfies the range is used', async () => {
  script(join(folder, 'bin', 'helm'), '3.22.0')
  expect(await getHelm(options())).toMatchObject({
    source: 'PATH',
    version: '3.22.0',
    why: '3.22.0 (on the PATH, satisfies >=3.18.6 <4)'
  })
  expect(asked).toEqual([])
})

test('the version that the action is tested with is downloaded from the mirror, and found in the tool cache afterwards', async () => {
  await publish(downloadedHelm)
  const downloaded = await getHelm(options())
  expect(downloaded).toMatchObject({ source: 'download', version: downloadedHelm })
  expect(downloaded.why).toContain('3.10.0 on the PATH does not satisfy')
  expect(existsSync(downloaded.path)).toBe(true)
  expect(await getHelm(options())).toMatchObject({ source: 'tool cache', path: downloaded.path })
  expect(asked).toHaveLength(2)
  expect(readdirSync(join(folder, 'temp'))).toEqual([])
})

test('of a range without that version the lowest is downloaded', async () => {
  await publish('3.18.6')
  expect(await getHelm(options({ range: '>=3.18.6 <3.19' }))).toMatchObject({
    source: 'download',
    version: '3.18.6'
  })
})

test('an archive with another checksum is not unpacked', async () => {
  await publish(downloadedHelm, 'a'.repeat(64))
  await expect(getHelm(options())).rejects.toThrow(/^helm-download-url: .* it was not unpacked$/)
  expect(readdirSync(join(folder, 'cache'))).toEqual([])
  expect(readdirSync(join(folder, 'temp'))).toEqual([])
})

test('a mirror without the archive or its checksum is named', async () => {
  await expect(getHelm(options())).rejects.toThrow(/helm-v[0-9.]+-linux-amd64\.tar\.gz does not exist$/)
  await publish(downloadedHelm)
  files.delete(`/mirror/helm-v${downloadedHelm}-linux-amd64.tar.gz.sha256sum`)
  await expect(getHelm(options())).rejects.toThrow(/\.sha256sum does not exist$/)
})

test('a mirror that cannot be reached is said with the ways round it', async () => {
  await mirror.close()
  await expect(getHelm(options())).rejects.toMatchObject({
    message: expect.stringMatching(
      /^helm-download-url: http:.* could not be read: .*ECONNREFUSED/
    ) as unknown,
    fix: expect.stringContaining('HTTPS_PROXY') as unknown
  })
})

test('a machine that helm is not published for is told so', async () => {
  await expect(getHelm(options({ arch: 'mips' }))).rejects.toThrow(
    'helm-version: helm is not published for linux on mips'
  )
})
