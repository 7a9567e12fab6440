import { configMaps, nodes } from '../../src/kubernetes/kinds.js'
import type { Kubernetes } from '../../src/kubernetes/client.js'
import type { Cluster } from '../../src/aws/environment.js'
import { ApiServer, status } from '../kubernetes/api-server.js'
import { openSession } from '../../src/run/session.js'
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

function open(session = local.run.session): Kubernetes {
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

  it('are over with it', async () => {
    const kubernetes = open()
    await kubernetes.get(configMaps, 'one', 'kube-system')
    await local.run.session.close()
    await expect(kubernetes.get(configMaps, 'one', 'kube-system')).rejects.toThrow()
  })

  it('that are refused name the caller and the cluster as they are, and what lets it in', async () => {
    server.intercept = (_call, response) => {
      status(response, 401, 'Unauthorized', 'no')
      return true
    }
    const refused = open().get(configMaps, 'one', 'kube-system')
    await expect(refused).rejects.toMatchObject({
      fix: expect.stringMatching(
        /create-access-entry --cluster-name blue --region eu-west-1 --principal-arn arn:aws:iam::111122223333:role\/deployer\n/
      ) as unknown
    })
  })
})

test.each([
  ['looks for a cluster five times, of which it does not know that it can be reached', undefined, 4],
  ['waits for a cluster that has answered earlier in the job, as long as one that moves is away', true, 20]
])('a session %s', async (_what, answered, pauses) => {
  let [time, paused] = [0, 0]
  const clock = {
    ...local.run.ports.clock,
    monotonic: () => time,
    pause: async (milliseconds: number) => {
      paused++
      time += milliseconds
      return Promise.resolve()
    }
  }
  server.trouble = () => ({ answer: 'reset', done: false })
  const session = openSession(local.run.inputs, { ...local.run.ports, clock }, local.run.signal, answered)
  const kubernetes = open(session)
  await expect(kubernetes.get(configMaps, 'one', 'kube-system')).rejects.toThrow()
  await session.close()
  if (answered === true) expect(paused).toBeGreaterThanOrEqual(pauses)
  else expect(paused).toBe(pauses)
})
