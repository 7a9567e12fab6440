import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from 'tar'
import { UserError } from '../../src/engine/errors.js'
import { sha256Of } from '../../src/helm/artifact.js'
import { type ChartSource, loadChart } from '../../src/helm/chart.js'
import type { Helm, RunOptions } from '../../src/helm/run-helm.js'
import { listen } from '../../sandbox/listen.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chart-'))
  const chart = join(folder, 'karpenter')
  mkdirSync(join(chart, 'crds'), { recursive: true })
  mkdirSync(join(chart, 'templates'))
  writeFileSync(join(chart, 'Chart.yaml'), 'name: karpenter\nversion: 1.2.1\nappVersion: 1.2.1\n')
  writeFileSync(join(chart, 'values.yaml'), 'replicas: 2\nsettings:\n  clusterName: ""\n')
  writeFileSync(join(chart, 'templates', 'crds.yaml'), 'not: read\n')
  for (const name of ['nodepools', 'nodeclaims']) {
    writeFileSync(
      join(chart, 'crds', `${name}.yaml`),
      `---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: ${name}.karpenter.sh }\nspec: { group: karpenter.sh }\n`
    )
  }
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A helm whose pulls put the test's chart where they are told to, or fail with a text. */
function puller(runs: (readonly string[])[], failure?: string): Helm {
  return {
    version: '3.22.0',
    folder,
    close: async () => undefined,
    run: async (args, options: RunOptions = {}) => {
      runs.push(args)
      if (failure !== undefined)
        throw new UserError(options.subject ?? '', failure, options.fix?.(failure) ?? '')
      await create({ file: join(folder, 'karpenter-1.2.1.tgz'), cwd: folder, gzip: true }, ['karpenter'])
      return { stdout: '', stderr: `Pulled: x:1.2.1\nDigest: sha256:${'a'.repeat(64)}\n` }
    }
  }
}

/** Where nothing listens: what is pulled from there is pulled by helm. */
const nobody = 'oci://127.0.0.1:1/karpenter'

function sourceOf(helm: () => Promise<Helm>): ChartSource {
  return { folder, helm, proxyEnv: {}, signal: new AbortController().signal }
}

/** A registry that answers these paths, below the repository, with these bodies. */
async function registryOf(answers: Readonly<Record<string, Buffer>>) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace('/v2/karpenter/karpenter/', '')
    asked.push(path)
    const answer = answers[path]
    if (answer === undefined) response.writeHead(404).end()
    else response.end(answer)
  })
  const { port, close } = await listen(server)
  return { reference: `oci://127.0.0.1:${port}/karpenter/karpenter`, asked, close }
}

async function archived(): Promise<Buffer> {
  const file = join(folder, 'made.tgz')
  await create({ file, cwd: folder, gzip: true }, ['karpenter'])
  return readFileSync(file)
}

const wanted = {
  name: 'karpenter',
  version: '1.2.1',
  values: { replicas: 2, settings: { clusterName: '' } },
  crds: [{ metadata: { name: 'nodeclaims.karpenter.sh' } }, { metadata: { name: 'nodepools.karpenter.sh' } }]
}

const chartType = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip'
const noHelm = async (): Promise<Helm> => Promise.reject(new Error('helm is not needed'))

test('a chart is pulled from its registry without helm, and read from its archive with its digest', async () => {
  const archive = await archived()
  const manifest = Buffer.from(
    JSON.stringify({ layers: [{ mediaType: chartType, digest: sha256Of(archive) }] })
  )
  const registry = await registryOf({ 'manifests/1.2.1': manifest, [`blobs/${sha256Of(archive)}`]: archive })
  const chart = await loadChart(sourceOf(noHelm), registry.reference, '1.2.1')
  await registry.close()
  expect(chart).toMatchObject({ ...wanted, digest: sha256Of(manifest), origin: { manifest } })
  expect(registry.asked).toEqual(['manifests/1.2.1', `blobs/${sha256Of(archive)}`])
  expect(readFileSync(chart.path)).toEqual(archive)
})

test('an archive that is not the one of its manifest is not taken: helm is asked', async () => {
  const archive = await archived()
  const digest = sha256Of(Buffer.from('another'))
  const manifest = Buffer.from(JSON.stringify({ layers: [{ mediaType: chartType, digest }] }))
  const registry = await registryOf({ 'manifests/1.2.1': manifest, [`blobs/${digest}`]: archive })
  const pulled = loadChart(sourceOf(noHelm), registry.reference, '1.2.1')
  await expect(pulled).rejects.toThrow('helm is not needed')
  await registry.close()
})

test('what the registry does not give is pulled by helm, and read from its archive with its digest', async () => {
  const runs: (readonly string[])[] = []
  const chart = await loadChart(
    sourceOf(async () => puller(runs)),
    nobody,
    '1.2.1'
  )
  expect(chart).toMatchObject({ ...wanted, digest: `sha256:${'a'.repeat(64)}` })
  expect(chart.origin).toBeUndefined()
  expect(chart.crds).toHaveLength(2)
  expect(runs).toEqual([['pull', nobody, '--version', '1.2.1', '--destination', folder, '--plain-http']])
})

test('a chart is read from its folder', async () => {
  const chart = await loadChart(sourceOf(noHelm), join(folder, 'karpenter'), '1.2.1')
  expect(chart).toMatchObject({ ...wanted, digest: undefined })
})

test('a chart of another version is refused', async () => {
  await expect(loadChart(sourceOf(noHelm), join(folder, 'karpenter'), '1.14.0')).rejects.toThrow(
    /^chart: .* is karpenter 1\.2\.1, not 1\.14\.0$/
  )
})

test.each([
  ['is cut off', (archive: Buffer) => archive.subarray(0, archive.length - 60)],
  ['is no archive', () => Buffer.from('<html>Sign in</html>'.repeat(100))],
  ['is empty', () => Buffer.alloc(0)]
])('a chart whose archive %s is refused', async (_, spoiled) => {
  const path = join(folder, 'spoiled.tgz')
  writeFileSync(path, spoiled(await archived()))
  await expect(loadChart(sourceOf(noHelm), path, '1.2.1')).rejects.toMatchObject({
    message: expect.stringContaining(`chart: ${path} `) as unknown,
    state: 'Nothing was changed.'
  })
})

test.each([
  ['not found', "Karpenter's versions carry no leading v"],
  ['unexpected status 403 Forbidden', 'The registry refused an anonymous pull'],
  ['dial tcp: i/o timeout', 'Check that the runner reaches the registry']
])('a pull that fails with "%s" says what to do', async (failure, fix) => {
  const pull = loadChart(
    sourceOf(async () => puller([], failure)),
    nobody,
    '1.2.1'
  )
  await expect(pull).rejects.toMatchObject({
    message: `chart: ${failure}`,
    fix: expect.stringContaining(fix) as unknown
  })
})
