import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cluster } from '../sandbox/cloud/eks/state.js'
import { hold, publishedStatements, type Statement } from '../sandbox/cluster/deployer-policy.js'
import {
  builtRelease,
  newest,
  oldest,
  startSandbox,
  type ActionResult,
  type Sandbox
} from '../sandbox/index.js'
import { listen } from '../sandbox/listen.js'
import { packChart } from '../sandbox/published/chart.js'
import { testedPatchOf, versionsFor } from '../src/karpenter/tested-versions.js'
import { errorOf, found, refusedBeforeWriting } from './failed-run.js'
import { reportOf } from './scenario.js'

const inputs = { 'karpenter-version': newest, 'controller-identity': 'irsa', 'smoke-test': 'false' }
/** Refuses by itself, so that what else is found can be looked at without an installation. */
const unknownValue = { 'helm-values': 'replica: 1' }

function nodeClasses(...specs: readonly Readonly<Record<string, unknown>>[]): string {
  const selector = [{ tags: { 'karpenter.sh/discovery': 'green' } }]
  const manifests = specs.map((spec, index) => ({
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata: { name: `class-${index}` },
    spec: {
      role: 'KarpenterNodeRole-green',
      subnetSelectorTerms: selector,
      securityGroupSelectorTerms: selector,
      ...spec
    }
  }))
  return manifests.map((manifest) => `---\n${JSON.stringify(manifest)}\n`).join('')
}

const withAliases = (...aliases: readonly string[]): string =>
  nodeClasses(...aliases.map((alias) => ({ amiSelectorTerms: [{ alias }] })))

describe('preflight of cluster, version and node classes', () => {
  let sandbox: Sandbox
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'preflight-'))
    sandbox = await startSandbox({
      name: 'green',
      region: 'eu-west-1',
      kubernetesVersion: '1.34',
      karpenter: [oldest, newest],
      runner: 'kept'
    })
  })
  afterAll(async () => {
    await sandbox.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function run(more: Readonly<Record<string, string>> = {}): Promise<ActionResult> {
    sandbox.cloud.clearCalls()
    return sandbox.run({ ...inputs, ...more })
  }

  /** Runs with the cluster changed as EKS has it. */
  async function withCluster(
    change: (cluster: Cluster) => Cluster,
    more: Readonly<Record<string, string>> = {}
  ): Promise<ActionResult> {
    const { clusters } = sandbox.cloud.eks
    const cluster = sandbox.cloud.eks.cluster('green')
    clusters.set('green', change(cluster))
    try {
      return await run(more)
    } finally {
      clusters.set('green', cluster)
    }
  }

  describe('of the cluster', () => {
    test('one that has failed', async () => {
      const result = await withCluster((cluster) => ({ ...cluster, status: 'FAILED' }))
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: cluster-name: green is FAILED, not ACTIVE/
      ])
      expect(found(result)).toEqual(['error cluster-active'])
    })

    test('one that is being updated: a warning, which only `strict` refuses', async () => {
      const updating = (cluster: Cluster): Cluster => ({ ...cluster, status: 'UPDATING' })
      const strict = await withCluster(updating, { preflight: 'strict' })
      await refusedBeforeWriting(sandbox, strict, [
        /^setup-karpenter: cluster-name: green is being updated/,
        'Warnings refuse because of `preflight: strict`.'
      ])
      const off = await withCluster(updating, { preflight: 'off', ...unknownValue })
      await refusedBeforeWriting(sandbox, off, ['replica: '])
      expect(found(off)).toEqual(['note cluster-active', 'error chart-values'])
    })

    test('one that is being made has no endpoint to be asked', async () => {
      const result = await withCluster((cluster) => ({ ...cluster, status: 'CREATING' }))
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: cluster-name: green is CREATING, not ACTIVE/
      ])
    })

    test('a private endpoint that this runner does not reach, within seconds', async () => {
      const silent = await listen(createServer(() => undefined))
      try {
        const result = await withCluster((cluster) => ({
          ...cluster,
          endpoint: `https://127.0.0.1:${silent.port}`,
          autoMode: true,
          endpointAccess: { publicly: false, privately: true, cidrs: [] }
        }))
        await refusedBeforeWriting(sandbox, result, [
          'the API server of this cluster has a private endpoint only, which this runner does not reach',
          'does not answer within 5 s; eks:DescribeCluster: endpointPublicAccess false, endpointPrivateAccess true',
          'aws eks update-cluster-config --name green --resources-vpc-config endpointPublicAccess=true',
          'green is in EKS Auto Mode'
        ])
        expect(found(result)).toEqual(['error cluster-endpoint', 'error auto-mode'])
        expect(result.milliseconds).toBeLessThan(8_000)
      } finally {
        await silent.close()
      }
    })

    test('an endpoint that takes requests from other addresses only', async () => {
      const { port, close } = await listen(createServer())
      await close()
      const result = await withCluster((cluster) => ({
        ...cluster,
        endpoint: `https://127.0.0.1:${port}`,
        endpointAccess: { publicly: true, privately: true, cidrs: ['203.0.113.0/24'] }
      }))
      await refusedBeforeWriting(sandbox, result, [
        "takes requests from certain addresses only, and this runner's is not among them",
        'publicAccessCidrs=203.0.113.0/24,<runner CIDR>'
      ])
    })
  })

  describe('of the version', () => {
    test('a pair that is not in the matrix, which can be allowed', async () => {
      const older = { 'karpenter-version': oldest, ...unknownValue }
      const result = await run(older)
      await refusedBeforeWriting(sandbox, result, [
        `karpenter-version: ${oldest} does not support Kubernetes 1.34`,
        `Pass \`karpenter-version\` as one of ${versionsFor('1.34').slice(0, 2).join(', ')}`,
        'To go on all the same, pass `preflight-allow: version-pair`'
      ])
      const allowed = await run({ ...older, 'preflight-allow': 'version-pair' })
      await refusedBeforeWriting(sandbox, allowed, [/^setup-karpenter: helm-values: replica: /])
      expect(found(allowed)).toEqual(['warning version-pair', 'error chart-values'])
      expect(reportOf(allowed)['preflight']).toContainEqual(
        expect.objectContaining({ check: 'version-pair', overridden: true })
      )
    })

    test('another major version, before anything of it is downloaded', async () => {
      const result = await run({ 'karpenter-version': '2.0.0' })
      await refusedBeforeWriting(sandbox, result, [
        /karpenter-version: 2\.0\.0 is of another major version/,
        'preflight-allow: next-major'
      ])
    })

    test.each([
      ['1.8.0', 'warn', /1\.8\.0 is broken: its chart renders an empty feature gate.*upstream issue 8608/],
      ['1.8.4', 'strict', /1\.8\.4 is better skipped: it has a regression in topology spread/]
    ])('release %s, with the one to take', async (version, preflight, problem) => {
      const source = builtRelease(sandbox.built, newest)
      const chart = join(folder, `karpenter-${version}.tgz`)
      await writeFile(chart, (await packChart(version, source, folder)).archive)
      const result = await run({ 'karpenter-version': version, template: 'built-in', chart, preflight })
      await refusedBeforeWriting(sandbox, result, [
        problem,
        `Pass \`karpenter-version: ${testedPatchOf('1.8') ?? 'of 1.8'}\`.`
      ])
    })
  })

  describe('of the node classes', () => {
    test('images that there are none of, each said once', async () => {
      const result = await run({
        'node-pools': withAliases(
          'al2@latest',
          'al2023@v20200101',
          'bottlerocket@v9.9.9',
          'windows2022@latest'
        )
      })
      await refusedBeforeWriting(sandbox, result, [
        'class-0: alias al2@latest: AWS publishes no AL2 images for Kubernetes 1.34',
        'class-1: alias al2023@v20200101: AWS has published no such image for Kubernetes 1.34',
        'class-2: alias bottlerocket@v9.9.9: AWS has published no such image for Kubernetes 1.34'
      ])
    })

    test('a pinned release that is there is taken', async () => {
      const result = await run({
        'node-pools': withAliases('al2023@v20260915', 'bottlerocket@v1.52.0'),
        ...unknownValue
      })
      expect(errorOf(result)).toMatch(/^setup-karpenter: helm-values/)
      expect(found(result)).toEqual(['error chart-values'])
    })

    test('without permission to read them a pinned release is only noted', async () => {
      const published = await publishedStatements(sandbox, 'install')
      hold(sandbox, without(published, 'PinnedImages'))
      const result = await run({ 'node-pools': withAliases('al2023@v20200101'), ...unknownValue })
      hold(sandbox, published)
      expect(errorOf(result)).toMatch(/^setup-karpenter: helm-values/)
      expect(found(result)).toEqual(['error chart-values', 'note ami-alias'])
    })

    test('an ARN is taken for the role that it names', async () => {
      const alias = [{ alias: 'al2023@latest' }]
      const role = 'arn:aws:iam::111122223333:role/nodes'
      const result = await run({ 'node-pools': nodeClasses({ role, amiSelectorTerms: alias }) })
      await refusedBeforeWriting(sandbox, result, ['there is no role "nodes"'])
    })
  })
})

function without(statements: readonly Statement[], ...sids: readonly string[]): readonly Statement[] {
  return statements.filter((statement) => !sids.includes(String(statement['Sid'])))
}
