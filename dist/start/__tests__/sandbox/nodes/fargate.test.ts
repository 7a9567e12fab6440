import type { FargateProfile } from '../../../sandbox/cloud/eks/fargate-profile.js'
import type { ApiAnswer, ApiClient, ApiRequest } from '../../../sandbox/nodes/api-client.js'
import { addressIn } from '../../../sandbox/nodes/fargate/address.js'
import { sizeOf, unsupported } from '../../../sandbox/nodes/fargate/pod-size.js'
import { removePods } from '../../../sandbox/nodes/fargate/profile-pods.js'
import { FargateScheduler, type FargateCloud } from '../../../sandbox/nodes/fargate/scheduler.js'
import { fargatePatch } from '../../../sandbox/nodes/fargate/webhook.js'
import { createAuthority } from '../../../sandbox/certificates.js'

const profile: FargateProfile = {
  clusterName: 'blue',
  name: 'karpenter',
  arn: 'arn:aws:eks:eu-west-1:111122223333:fargateprofile/blue/karpenter/1',
  podExecutionRoleArn: 'arn:aws:iam::111122223333:role/pods',
  subnets: ['subnet-a', 'subnet-b'],
  selectors: [{ namespace: 'karpenter', labels: {} }],
  status: 'ACTIVE',
  tags: {},
  createdAt: new Date(0)
}

describe('at admission', () => {
  const patched = (metadata: object, namespace = 'karpenter') =>
    fargatePatch([profile], { metadata, spec: {} }, namespace)

  it('a pod that a profile takes in is handed to Fargate, its labels kept', () => {
    expect(patched({ labels: { app: 'a' } })).toEqual(
      expect.arrayContaining([
        { op: 'add', path: '/spec/schedulerName', value: 'fargate-scheduler' },
        {
          op: 'add',
          path: '/metadata/labels',
          value: { app: 'a', 'eks.amazonaws.com/fargate-profile': 'karpenter' }
        }
      ])
    )
  })

  it("another namespace's, a DaemonSet's, and one that asks for EC2 are left", () => {
    expect(patched({}, 'default')).toEqual([])
    expect(patched({ ownerReferences: [{ kind: 'DaemonSet' }] })).toEqual([])
    expect(patched({ annotations: { 'eks.amazonaws.com/compute-type': 'ec2' } })).toEqual([])
  })
})

describe('a pod', () => {
  const container = (cpu: string, memory: string) => ({ resources: { requests: { cpu, memory } } })

  it.each([
    ['no requests', [{}], { cpus: 0.25, memoryGiB: 0.5 }],
    ["the guide's", [container('1', '1Gi')], { cpus: 1, memoryGiB: 2 }],
    ['2Gi, and what Kubernetes needs', [container('1', '2Gi')], { cpus: 1, memoryGiB: 3 }],
    ['much memory', [container('250m', '10Gi')], { cpus: 2, memoryGiB: 11 }],
    ['two containers', [container('3', '4Gi'), container('1', '4Gi')], { cpus: 4, memoryGiB: 9 }],
    ['too much', [container('20', '1Gi')], undefined]
  ])('gets the smallest configuration that holds it: %s', (_what, containers, size) => {
    expect(sizeOf({ spec: { containers } })).toEqual(size)
  })

  it('that asks for the host is not run', () => {
    expect(unsupported({ spec: { containers: [{}], volumes: [{ projected: {} }] } })).toBeUndefined()
    expect(
      unsupported({
        spec: {
          hostNetwork: true,
          containers: [{ securityContext: { privileged: true } }],
          volumes: [{ name: 'logs', hostPath: { path: '/var/log' } }]
        }
      })
    ).toBe(
      'Pod not supported on Fargate: fields not supported: HostNetwork, invalid SecurityContext fields: Privileged, volumes not supported: logs is of an unsupported volume Type'
    )
  })
})

test('nodes of a subnet get addresses of it, each another', () => {
  expect([0, 1, 300].map((nth) => addressIn('10.0.96.0/19', nth))).toEqual([
    '10.0.100.0',
    '10.0.100.1',
    '10.0.101.44'
  ])
  expect(addressIn('10.0.0.0/28', 3)).toBe('10.0.0.7')
})

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)

describe('the scheduler', () => {
  const identity = { username: 'system:node:it', groups: ['system:nodes'] }

  async function scheduler(
    more: Partial<FargateCloud> = {},
    kept: (request: ApiRequest) => Promise<unknown> = async () => undefined
  ) {
    const requests: ApiRequest[] = []
    const waiting: { wanted: (request: ApiRequest) => boolean; resolve: (request: ApiRequest) => void }[] = []
    const api: ApiClient = {
      request: async (request): Promise<ApiAnswer> => {
        requests.push(request)
        waiting.filter(({ wanted }) => wanted(request)).forEach(({ resolve }) => resolve(request))
        await kept(request)
        return { status: request.method === 'POST' ? 201 : 200, body: {} }
      },
      watch: () => ({ stop: () => undefined }),
      close: () => undefined
    }
    const stopped: string[] = []
    const fargate = new FargateScheduler({
      api,
      authority: await createAuthority('fargate'),
      cloud: {
        profiles: () => [profile],
        subnet: async () => ({ zone: 'eu-west-1b', cidr: '10.0.96.0/19' }),
        identity: async () => identity,
        ...more
      },
      region: 'eu-west-1',
      kubeletVersion: 'v1.32.0',
      kubeletPort: 1,
      bootTime: 1,
      readyTime: 1,
      nodeStarted: () => undefined,
      nodeStopped: (name) => stopped.push(name),
      log: () => undefined
    })
    return {
      fargate,
      stopped,
      requests,
      sent: async (method: string, path: RegExp) => {
        const wanted = (request: ApiRequest) => request.method === method && path.test(request.path)
        const already = requests.find(wanted)
        return already ?? new Promise<ApiRequest>((resolve) => waiting.push({ wanted, resolve }))
      }
    }
  }
  const pod = {
    metadata: {
      name: 'karpenter-1',
      namespace: 'karpenter',
      uid: 'u1',
      labels: { 'eks.amazonaws.com/fargate-profile': 'karpenter' }
    },
    spec: {
      schedulerName: 'fargate-scheduler',
      containers: [{ resources: { requests: { cpu: '1', memory: '1Gi' } } }]
    }
  }
  const nodeName = 'fargate-ip-10-0-100-0.eu-west-1.compute.internal'

  it('gives a pod a tainted node of its own without an instance type, and takes it away with the pod', async () => {
    const { fargate, sent, stopped } = await scheduler()
    fargate.take('ADDED', pod)
    fargate.take('MODIFIED', pod)
    const { body, as } = await sent('POST', /^\/api\/v1\/nodes$/)
    expect(as).toEqual(identity)
    expect(body).toMatchObject({
      metadata: { name: nodeName, labels: { 'eks.amazonaws.com/compute-type': 'fargate' } },
      spec: {
        providerID: matching(new RegExp(`^aws:///eu-west-1b/[0-9a-f]+-[0-9a-f]+/${nodeName}$`)),
        taints: [{ key: 'eks.amazonaws.com/compute-type', value: 'fargate', effect: 'NoSchedule' }]
      }
    })
    const labels = await sent('PATCH', /\/nodes\/[^/]+$/)
    expect(JSON.stringify(labels.body)).not.toContain('instance-type')
    const binding = await sent('POST', /\/pods\/karpenter-1\/binding$/)
    expect(binding.body).toMatchObject({
      metadata: { uid: 'u1', annotations: { CapacityProvisioned: '1vCPU 2GB' } },
      target: { kind: 'Node', name: nodeName }
    })
    expect(fargate.names()).toEqual([nodeName])
    expect(fargate.node(nodeName)?.podIp).toBe('10.0.100.0')
    fargate.take('DELETED', pod)
    await sent('DELETE', new RegExp(`/nodes/${nodeName}$`))
    expect(stopped).toEqual([nodeName])
    expect(fargate.names()).toEqual([])
    fargate.stop()
  })

  it('leaves the pods of other schedulers alone', async () => {
    const { fargate, sent } = await scheduler()
    fargate.take('ADDED', {
      ...pod,
      metadata: { ...pod.metadata, uid: 'u0' },
      spec: { ...pod.spec, schedulerName: 'default-scheduler' }
    })
    fargate.take('ADDED', pod)
    await sent('POST', /binding$/)
    expect(fargate.names()).toEqual([nodeName])
    fargate.stop()
  })

  it('leaves no heartbeat behind when the sandbox stops while a node is registered', async () => {
    const answered = Promise.withResolvers<undefined>()
    const labelled = Promise.withResolvers<undefined>()
    const { fargate, sent, requests } = await scheduler({}, async ({ method, path }) => {
      if (method === 'POST' && path === '/api/v1/nodes') await answered.promise
      if (method === 'PATCH' && path === `/api/v1/nodes/${nodeName}`) labelled.resolve(undefined)
    })
    fargate.take('ADDED', pod)
    await sent('POST', /^\/api\/v1\/nodes$/)
    fargate.stop()
    answered.resolve(undefined)
    await labelled.promise
    await new Promise((resolve) => setImmediate(resolve))
    expect(requests.filter(({ path }) => /\/(leases|binding|status)/.test(path))).toEqual([])
  })

  it('says in an event why a pod is not launched', async () => {
    const { fargate, sent } = await scheduler({ identity: async () => ({ refused: 'no access entry' }) })
    fargate.take('ADDED', pod)
    const event = await sent('POST', /\/events$/)
    expect(event.body).toMatchObject({
      reason: 'FailedScheduling',
      source: { component: 'fargate-scheduler' },
      message: matching(/Pod execution role is not found in auth config/)
    })
    const status = await sent('PATCH', /\/pods\/karpenter-1\/status$/)
    expect(JSON.stringify(status.body)).toContain('"reason":"Unschedulable"')
    fargate.take('DELETED', pod)
    fargate.stop()
  })
})

test("a profile's pods end with it, and nobody else's; those that come after it are not waited for", async () => {
  const podOf = (name: string, profileName?: string) => ({
    metadata: {
      name,
      namespace: 'karpenter',
      uid: name,
      labels: profileName === undefined ? {} : { 'eks.amazonaws.com/fargate-profile': profileName }
    }
  })
  const deleted: string[] = []
  let lists = 0
  const api: ApiClient = {
    request: async ({ method, path }) => {
      if (method === 'DELETE') deleted.push(path)
      const items = [podOf('a', lists < 2 ? 'karpenter' : 'other'), podOf('b', 'other'), podOf('c')]
      if (method === 'GET') lists++
      return { status: 200, body: { items: lists < 3 ? items : [podOf('later', 'karpenter')] } }
    },
    watch: () => ({ stop: () => undefined }),
    close: () => undefined
  }
  await removePods(api, 'karpenter')
  expect(deleted).toEqual(['/api/v1/namespaces/karpenter/pods/a'])
  expect(lists).toBe(3)
})
