import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiServer } from '../kubernetes/api-server.js'
import { prepareHelm, type Helm } from '../../src/helm/run-helm.js'

let folder: string
let helm: Helm
let masked: string[]
let server: ApiServer
let mayWrite: Promise<void>
let controller: AbortController

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'run-helm-'))
  masked = []
  server = await ApiServer.start()
  mayWrite = Promise.resolve()
  controller = new AbortController()
  const path = join(folder, 'helm')
  writeFileSync(
    path,
    '#!/bin/sh\nif [ "$1" = hang ]; then echo $$ > "$0.pid"; exec sleep 600; fi\nif [ "$1" = fail ]; then echo "W0101 a warning" >&2; echo "Error: UPGRADE FAILED: no such thing" >&2; exit 1; fi\nenv; echo "args: $*"; if [ "$1" = stdin ]; then cat; fi\n'
  )
  chmodSync(path, 0o755)
  helm = await prepareHelm({
    path,
    version: '3.22.0',
    temporary: folder,
    env: {
      PATH: process.env['PATH'],
      HTTPS_PROXY: 'http://proxy:3128',
      no_proxy: 'localhost',
      HELM_NAMESPACE: 'other',
      KUBECONFIG: '/home/me/.kube/config',
      AWS_SECRET_ACCESS_KEY: 'secret'
    },
    kubernetes: server.kubernetes,
    beforeWrite: async () => mayWrite,
    mask: (secret) => masked.push(secret),
    debug: () => undefined,
    signal: controller.signal
  })
})
afterEach(async () => {
  await helm.close()
  await server.stop()
  rmSync(folder, { recursive: true })
})

async function environment(): Promise<Record<string, string>> {
  const { stdout } = await helm.run(['version'])
  return Object.fromEntries(
    stdout.split('\n').flatMap((line) => {
      const at = line.indexOf('=')
      return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1)]]
    })
  )
}

test("the cluster is reached on this machine, by a path that only this run's helm knows and that is masked", async () => {
  const given = await environment()
  const [, host = '', secret = ''] =
    /^(http:\/\/127\.0\.0\.1:\d+)\/([\w-]{43})$/.exec(given['HELM_KUBEAPISERVER'] ?? '') ?? []
  expect(masked).toEqual([secret])
  expect(given).not.toHaveProperty('HELM_KUBETOKEN')
  const asked = async (path: string): Promise<number> => (await fetch(`${host}${path}`)).status
  for (const path of ['/version', `/${'a'.repeat(43)}/version`, `/${secret}version`, '/']) {
    expect(await asked(path)).toBe(401)
  }
  expect(server.calls).toEqual([])
  expect(await asked(`/${secret}/version`)).toBe(404)
  expect(server.calls).toMatchObject([{ method: 'GET', path: '/version' }])
})

test('no kubeconfig, login or setting of the machine reaches helm, the proxy does', async () => {
  const given = await environment()
  expect(given).toMatchObject({
    HTTPS_PROXY: 'http://proxy:3128',
    no_proxy: 'localhost',
    KUBECONFIG: '/dev/null'
  })
  expect(given).not.toHaveProperty('HELM_NAMESPACE')
  expect(given).not.toHaveProperty('AWS_SECRET_ACCESS_KEY')
  for (const name of [
    'HELM_REGISTRY_CONFIG',
    'HELM_CONFIG_HOME',
    'HELM_CACHE_HOME',
    'HELM_DATA_HOME',
    'DOCKER_CONFIG'
  ]) {
    expect(given[name]).toContain(helm.folder)
  }
})

test('values go by standard input', async () => {
  const { stdout } = await helm.run(['stdin'], { stdin: '{"a":1}' })
  expect(stdout).toContain('{"a":1}')
})

test("a failure is helm's own error without its warnings", async () => {
  await expect(helm.run(['fail'], { subject: 'Helm release karpenter' })).rejects.toThrow(
    /^Helm release karpenter: UPGRADE FAILED: no such thing$/
  )
})

test('a cancelled run does not wait for a helm that hangs', async () => {
  const pidFile = join(folder, 'helm.pid')
  const running = helm.run(['hang'])
  const ended = expect(running).rejects.toThrow('cancelled')
  const pid = (): number => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0)
  while (pid() === 0) await new Promise((resolve) => setImmediate(resolve))
  controller.abort(new Error('cancelled'))
  await ended
  process.kill(pid())
})

test('nothing is left behind', async () => {
  expect(existsSync(helm.folder)).toBe(true)
  await helm.close()
  expect(existsSync(helm.folder)).toBe(false)
})

test('a run that has lost its lock starts no helm that writes, and one that reads all the same', async () => {
  mayWrite = Promise.reject(new Error('another run took the lock over'))
  mayWrite.catch(() => undefined)
  for (const verb of ['install', 'upgrade', 'rollback', 'uninstall']) {
    await expect(helm.run([verb])).rejects.toThrow('another run took the lock over')
  }
  expect((await helm.run(['pull'])).stdout).toContain('args: pull')
})
