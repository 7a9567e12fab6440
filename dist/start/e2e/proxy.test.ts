import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { upstreamPaths } from '../sandbox/published/upstream-files.js'
import { checkIsClean } from './clean-check.js'
import { errorOf } from './failed-run.js'
import { callsOf, succeeded, writes } from './scenario.js'

const inputs = { 'karpenter-version': newest, 'smoke-test': 'false' }

describe('a runner that reaches the world through a proxy only', () => {
  let sandbox: Sandbox
  let result: ActionResult
  let published: Sandbox['published']['requests']

  beforeAll(async () => {
    sandbox = await startSandbox({ name: 'green', region: 'eu-west-1', kubernetesVersion: '1.34' })
    result = succeeded(await sandbox.run(inputs, { throughProxy: true, path: '/usr/bin:/bin' }))
    published = [...sandbox.published.requests]
  })
  afterAll(async () => sandbox.stop())

  test('template, helm, chart and every service of AWS are reached by their public names', () => {
    const hosts = new Set(sandbox.proxy.connections.map(({ host }) => host))
    expect([...hosts].sort()).toEqual([
      'cloudformation.eu-west-1.amazonaws.com',
      'ec2.eu-west-1.amazonaws.com',
      'eks.eu-west-1.amazonaws.com',
      'events.eu-west-1.amazonaws.com',
      'get.helm.sh',
      'iam.amazonaws.com',
      'public.ecr.aws',
      'raw.githubusercontent.com',
      'sqs.eu-west-1.amazonaws.com',
      'sts.eu-west-1.amazonaws.com'
    ])
    expect(sandbox.proxy.connections.filter(({ refused }) => refused)).toEqual([])
    expect(new Set(sandbox.proxy.connections.map(({ port }) => port))).toEqual(new Set([443]))
  })

  test('no call of AWS went around it', () => {
    const calls = [
      ...callsOf(sandbox),
      ...sandbox.cloud.calls().filter(({ action }) => action === 'AssumeRoleWithWebIdentity')
    ].filter(({ via }) => via === undefined)
    expect(calls.length).toBeGreaterThan(20)
    const hosts = new Set(calls.map(({ host }) => host))
    expect([...hosts].filter((host) => !host.endsWith('amazonaws.com'))).toEqual([])
  })

  test('no download went around it, the chart by helm included', () => {
    expect(published.map(({ scheme }) => scheme)).not.toContain('http')
    const hosts = new Set(published.map(({ host }) => host))
    expect([...hosts].sort()).toEqual(['get.helm.sh', 'public.ecr.aws', 'raw.githubusercontent.com'])
    expect(published.some(({ path }) => path === `/v2/karpenter/karpenter/manifests/${newest}`)).toBe(true)
  })

  test('of a version that is pinned and was tested only the template is read, and no list of tags', () => {
    const ofUpstream = published.filter(({ host }) => host === 'raw.githubusercontent.com')
    expect(ofUpstream.map(({ path }) => path)).toEqual([
      `/aws/karpenter-provider-aws/v${newest}/${upstreamPaths.template}`
    ])
    expect(published.filter(({ path }) => path.includes('/tags/'))).toEqual([])
  })

  test('NO_PROXY is honoured: the API server and the token service are reached directly, by helm as well', () => {
    const { hostname } = new URL(sandbox.controlPlane.endpoint)
    expect(sandbox.proxy.connections.map(({ host }) => host)).not.toContain(hostname)
    expect(result.log).toContain('Helm release karpenter')
    expect(sandbox.idTokens.requests).toBeGreaterThan(0)
  })

  test('a check finds nothing, and writes nothing', async () => {
    await checkIsClean(sandbox, inputs, { throughProxy: true, path: '/usr/bin:/bin' })
  })

  test("a wrong signature of what AWS publishes is refused on off too, with the carried trust root where Sigstore's is out of reach", async () => {
    expect(result.log).toContain('Chart signature: not proved: it carries no signature')
    sandbox.published.setSigning('release', 'public.ecr.aws')
    const calls = callsOf(sandbox).length
    const failed = await sandbox.run({ ...inputs, 'chart-signature': 'off' }, { throughProxy: true })
    expect(errorOf(failed)).toContain(
      `chart: oci://public.ecr.aws/karpenter/karpenter ${newest} (${sandbox.published.chartDigest(newest)}): it carries a wrong signature: its proof fails: `
    )
    expect(errorOf(failed)).toContain('let the runner reach tuf-repo-cdn.sigstore.dev')
    expect(sandbox.proxy.connections.filter(({ refused }) => refused).map(({ host }) => host)).toEqual([
      'tuf-repo-cdn.sigstore.dev'
    ])
    expect(writes(callsOf(sandbox).slice(calls))).toEqual([])
    sandbox.published.setSigning('none', 'public.ecr.aws')
  })

  test('a proxy that is not there is said to be unreachable, before anything is written', async () => {
    sandbox.cloud.clearCalls()
    const failed = await sandbox.run(inputs, {
      throughProxy: true,
      env: { HTTPS_PROXY: 'http://127.0.0.1:9' }
    })
    expect(errorOf(failed)).toMatch(
      /^setup-karpenter: region: STS in eu-west-1 could not be reached: .*127\.0\.0\.1:9/
    )
    expect(errorOf(failed)).toContain('Check the network of the runner (HTTPS_PROXY, NO_PROXY)')
    expect(callsOf(sandbox)).toEqual([])
  })
})
