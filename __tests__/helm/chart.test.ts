import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from 'tar'
import { UserError } from '../../src/engine/errors.js'
import { loadChart } from '../../src/helm/chart.js'
import type { Helm, RunOptions } from '../../src/helm/run-helm.js'

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

const wanted = {
  name: 'karpenter',
  version: '1.2.1',
  values: { replicas: 2, settings: { clusterName: '' } },
  crds: [{ metadata: { name: 'nodeclaims.karpenter.sh' } }, { metadata: { name: 'nodepools.karpenter.sh' } }]
}

test('a chart is pulled once, and read from its archive with its digest', async () => {
  const runs: (readonly string[])[] = []
  const chart = await loadChart(puller(runs), 'oci://public.ecr.aws/karpenter/karpenter', '1.2.1')
  expect(chart).toMatchObject({ ...wanted, digest: `sha256:${'a'.repeat(64)}` })
  expect(chart.crds).toHaveLength(2)
  expect(runs).toEqual([
    ['pull', 'oci://public.ecr.aws/karpenter/karpenter', '--version', '1.2.1', '--destination', folder]
  ])
})

test('a registry on this machine is asked without TLS', async () => {
  const runs: (readonly string[])[] = []
  await loadChart(puller(runs), 'oci://127.0.0.1:5000/karpenter', '1.2.1')
  expect(runs[0]).toContain('--plain-http')
})

test('a chart is read from its folder', async () => {
  const chart = await loadChart(puller([]), join(folder, 'karpenter'), '1.2.1')
  expect(chart).toMatchObject({ ...wanted, digest: undefined })
})

test('a chart of another version is refused', async () => {
  await expect(loadChart(puller([]), join(folder, 'karpenter'), '1.14.0')).rejects.toThrow(
    /^chart: .* is karpenter 1\.2\.1, not 1\.14\.0$/
  )
})

test.each([
  ['not found', "Karpenter's versions carry no leading v"],
  ['unexpected status 403 Forbidden', 'The registry refused an anonymous pull'],
  ['dial tcp: i/o timeout', 'Check that the runner reaches the registry']
])('a pull that fails with "%s" says what to do', async (failure, fix) => {
  const pull = loadChart(puller([], failure), 'oci://mirror/karpenter', '1.2.1')
  await expect(pull).rejects.toMatchObject({
    message: `chart: ${failure}`,
    fix: expect.stringContaining(fix) as unknown
  })
})
