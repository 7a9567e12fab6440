import { mapAt } from '../../src/engine/json.js'
import type { PlayedClusterOptions } from './played-aws.js'
import { PlayedWorld } from './played-run.js'
import { status } from '../kubernetes/api-server.js'

let world: PlayedWorld | undefined
async function start(cluster: PlayedClusterOptions = {}): Promise<PlayedWorld> {
  world = await PlayedWorld.start(cluster)
  return world
}
afterEach(async () => world?.stop())

const quick = { 'smoke-test': 'false' }
/** Mode check says what an install would choose, and changes nothing. */
const asked = { mode: 'check', 'fail-on': 'never' }

describe('how the controller gets its role, where nothing is asked for', () => {
  const agentPath = '/apis/apps/v1/namespaces/kube-system/daemonsets/eks-pod-identity-agent'
  const agent = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { namespace: 'kube-system' },
    status: { desiredNumberScheduled: 2, numberReady: 2 }
  }
  async function chosen(of: PlayedWorld, given: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const { report } = await of.main({ ...asked, ...given })
    return mapAt(report, 'choices')['Controller identity']
  }

  it('by Pod Identity in a cluster with neither', async () => {
    expect(await chosen(await start())).toMatch(/^pod-identity \(Karpenter's guide/)
  })

  it("by IRSA where the account has an OIDC provider of the cluster's issuer, unless the agent is there", async () => {
    const of = await start()
    of.cloud.iam.putOidcProvider(of.cloud.eks.cluster('blue').issuer, ['sts.amazonaws.com'])
    expect(await chosen(of)).toMatch(/^irsa/)
    of.server.put(agentPath, agent)
    expect(await chosen(of)).toMatch(/^pod-identity/)
  })

  it("another cluster's provider counts for nothing", async () => {
    const of = await start()
    of.cloud.iam.putOidcProvider('https://oidc.eks.eu-west-1.amazonaws.com/id/OTHER', ['sts.amazonaws.com'])
    expect(await chosen(of)).toMatch(/^pod-identity/)
  })

  it('by IRSA where every Linux node is one of Fargate', async () => {
    const of = await start()
    for (const node of of.server.under('/api/v1/nodes/')) {
      const labels = { ...mapAt(node.metadata, 'labels'), 'eks.amazonaws.com/compute-type': 'fargate' }
      const path = `/api/v1/nodes/${String(node.metadata['name'])}`
      of.server.put(path, { ...node, metadata: { ...node.metadata, labels } })
    }
    expect(await chosen(of)).toMatch(/^irsa/)
    of.server.put('/api/v1/nodes/ec2', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { labels: { 'kubernetes.io/os': 'linux' } }
    })
    expect(await chosen(of)).toMatch(/^pod-identity/)
  })

  it('as the installed controller does', async () => {
    const of = await start()
    await of.main({ ...quick, 'controller-identity': 'irsa' })
    expect(await chosen(of)).toMatch(/^irsa \(the installed controller has it\)/)
    expect(await chosen(of, { 'controller-identity': 'pod-identity' })).toMatch(
      /^pod-identity \(by the input/
    )
  })
})

describe('the version, where none is asked for', () => {
  it('is the installed one, also where the controllers may not be read and only the record knows', async () => {
    const of = await start()
    await of.main({ ...quick, 'karpenter-version': '1.13.1' })
    expect((await of.main(asked)).outputs['karpenter-version']).toBe('1.13.1')
    const { intercept } = of.server
    of.server.intercept = (call, response) => {
      if (call.path !== '/apis/apps/v1/deployments') return intercept(call, response)
      status(response, 403, 'Forbidden', 'deployments.apps is forbidden: User "x" cannot list resource')
      return true
    }
    const ended = await of.main(asked)
    expect(ended.outputs).toMatchObject({ 'karpenter-version': '1.13.1' })
    expect(Number(ended.outputs['unknown'])).toBeGreaterThan(0)
  })

  it('is the newest that supports the cluster, where none is installed', async () => {
    const of = await start({ version: '1.32' })
    const { report, outputs } = await of.main(asked)
    expect(outputs['kubernetes-version']).toBe('1.32')
    expect(mapAt(report, 'choices')['Karpenter']).toMatch(/newest that supports Kubernetes 1\.32/)
  })
})

it('a cluster that is being made has no endpoint, which is said and not asked', async () => {
  const of = await start({ status: 'CREATING' })
  of.cloud.eks.setEndpoint('blue', '', '')
  const ended = await of.main()
  expect(ended.failed).toContain('CREATING')
  expect(of.server.calls).toEqual([])
})

it('a record that is none of ours is said, and the run goes on without it', async () => {
  const of = await start()
  await of.main(quick)
  of.server.put('/api/v1/namespaces/kube-system/configmaps/setup-karpenter', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    binaryData: { 'record.json.gz': 'bm90IGd6aXA=' }
  })
  const ended = await of.main(quick)
  expect(ended.failed).toBeUndefined()
  expect(ended.warnings).toEqual([expect.stringContaining('record kube-system/setup-karpenter')])
})

it('what of the manifests could not be converted without loss is a warning', async () => {
  const of = await start()
  const ended = await of.main({
    ...asked,
    'node-pools': `
apiVersion: karpenter.sh/v1alpha5
kind: Provisioner
metadata: { name: old }
spec:
  providerRef: { name: old }
  consolidation: { enabled: true }
  ttlSecondsAfterEmpty: 30
---
apiVersion: karpenter.k8s.aws/v1alpha1
kind: AWSNodeTemplate
metadata: { name: old }
spec:
  subnetSelector: { karpenter.sh/discovery: blue }
  securityGroupSelector: { karpenter.sh/discovery: blue }
`
  })
  expect(ended.warnings.join('\n')).toContain('ttlSecondsAfterEmpty')
  expect(ended.report?.['warnings']).toEqual(
    expect.arrayContaining([expect.stringContaining('ttlSecondsAfterEmpty')])
  )
})

it('reads the nodes once, many in a page, where nothing changes, and keeps nothing of those of Karpenter', async () => {
  const of = await start()
  expect((await of.main(quick)).failed).toBeUndefined()
  const before = of.server.calls.length
  const { outputs } = await of.main(quick)
  expect(outputs).toMatchObject({ changed: 'false', 'nodes-before': '2', 'nodes-after': '2' })
  const lists = of.server.calls.slice(before).filter(({ path }) => path === '/api/v1/nodes')
  expect(lists.map(({ query }) => query.get('limit'))).toEqual(['1000'])
})
