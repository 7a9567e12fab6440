import { configMaps, nodes } from '../../src/kubernetes/kinds.js'
import type { Kubernetes } from '../../src/kubernetes/client.js'
import type { Cluster } from '../../src/aws/environment.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { type LocalRun, localRun } from '../local-run.js'

let server: ApiServer
let local: LocalRun
beforeEach(async () => {
  server = await ApiServer.start()
  local = localRun()
})
afterEach(async () => {
  await local.run.session.close()
  local.end()
  await server.stop()
})

function open(): Kubernetes {
  const cluster: Cluster = {
    name: 'blue',
    arn: 'arn:aws:eks:eu-west-1:111122223333:cluster/blue',
    kubernetesVersion: '1.35',
    status: 'ACTIVE',
    endpoint: server.endpoint,
    endpointAccess: { publicly: true, privately: false, cidrs: [] },
    certificateAuthority: server.certificateAuthority,
    authenticationMode: 'API',
    oidcIssuer: '',
    vpcId: '',
    subnetIds: [],
    clusterSecurityGroupId: '',
    autoMode: false,
    tags: {}
  }
  const { session } = local.run
  return session.kubernetes(
    cluster,
    'arn:aws:sts::111122223333:assumed-role/deployer/run',
    async () => 'token'
  )
}

const record = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'one', namespace: 'kube-system' }
}

describe('the requests of a run', () => {
  it('are counted by service; what the server only tries is no write', async () => {
    const kubernetes = open()
    await kubernetes.get(configMaps, 'one', 'kube-system')
    await kubernetes.apply(configMaps, record, { dryRun: true, force: true })
    expect(local.run.session.requests()).toEqual({
      total: 2,
      writes: 0,
      repeated: [],
      byService: { kubernetes: 2 }
    })
    await kubernetes.apply(configMaps, record, { force: true })
    expect(local.run.session.requests()).toMatchObject({ total: 3, writes: 1 })
  })

  it('that read the same twice are named, once, and a write that is made twice is not among them', async () => {
    const kubernetes = open()
    for (let times = 0; times < 3; times++) {
      await kubernetes.get(configMaps, 'one', 'kube-system')
      await kubernetes.apply(configMaps, record, { force: true })
    }
    await kubernetes.get(configMaps, 'two', 'kube-system')
    await kubernetes.pick(nodes, ({ metadata }) => metadata?.name)
    expect(local.run.session.requests().repeated).toEqual([
      'GET /api/v1/namespaces/kube-system/configmaps/one'
    ])
  })

  it('go through one client, however often it is asked for', () => {
    expect(open()).toBe(open())
  })
})
