import { jest } from '@jest/globals'
import { createServer } from 'node:https'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority, type IssuedCertificate } from '../../../sandbox/certificates.js'
import { listen } from '../../../sandbox/listen.js'
import { startNodes, tryAgain, type BootingInstance, type Nodes } from '../../../sandbox/nodes/index.js'

const instance: BootingInstance = {
  id: 'i-1',
  state: 'running',
  type: 'm5.large',
  zone: 'eu-west-1a',
  privateIp: '10.0.0.4',
  privateDnsName: 'ip-10-0-0-4.eu-west-1.compute.internal',
  tags: { 'eks:nodegroup-name': 'managed' },
  userData: ''
}

interface Api {
  readonly port: number
  /** `POST /api/v1/nodes` of each request, in order. */
  readonly calls: readonly string[]
}

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

/** An API server that takes everything; `answer` may keep its answer back. */
async function takesAll(served: IssuedCertificate, answer: (call: string) => unknown): Promise<Api> {
  const calls: string[] = []
  const server = createServer({ cert: served.certPem, key: served.keyPem }, (request, response) => {
    request.resume()
    const call = `${request.method ?? ''} ${request.url ?? ''}`
    calls.push(call)
    // A watch stays open; everything else is taken.
    if (call.includes('watch=')) return
    void Promise.resolve(answer(call)).then(() => {
      response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' })
      response.end('{"items":[],"metadata":{"resourceVersion":"1"}}')
    })
  })
  const { port, close } = await listen(server)
  stops.push(close)
  return { port, calls }
}

async function nodesOf(
  instances: (caPem: string) => Promise<readonly BootingInstance[]>,
  on: {
    readonly answer?: (call: string) => unknown
    readonly log?: (line: string) => void
    readonly statedEndpoint?: string
    /** Is given what is to be called when instances have changed. */
    readonly listening?: (changed: () => void) => void
  } = {}
): Promise<{ readonly nodes: Nodes; readonly api: Api }> {
  const authority = await createAuthority('boot')
  const served = await authority.issue({ commonName: 'api', ipAddresses: ['127.0.0.1'], usage: 'server' })
  const api = await takesAll(served, on.answer ?? (() => undefined))
  const folder = await mkdtemp(join(tmpdir(), 'boot-'))
  stops.push(() => rm(folder, { recursive: true, force: true }))
  const nodes = await startNodes({
    network: async () => ({ dns: true, api: true }),
    region: 'eu-west-1',
    clusterName: 'blue',
    kubernetesVersion: '1.35',
    apiEndpoint: `https://127.0.0.1:${api.port}`,
    apiCa: authority.certPem,
    admin: await authority.issue({ commonName: 'admin', usage: 'client' }),
    authority,
    cloudUrl: 'http://127.0.0.1:1',
    folder,
    instances: async () => instances(authority.certPem),
    onInstancesChanged: (changed) => {
      on.listening?.(changed)
      return () => undefined
    },
    describeType: async () => ({}),
    roleOf: () => 'arn:aws:iam::111122223333:role/nodes',
    nodeIdentity: async () => ({ username: 'system:node:one', groups: ['system:nodes'] }),
    credentialsOf: () => ({ accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' }),
    hasAssociation: () => false,
    controllerBinary: () => undefined,
    bootTime: 1,
    ...(on.statedEndpoint !== undefined && { statedEndpoint: () => on.statedEndpoint }),
    ...(on.log !== undefined && { log: on.log })
  })
  stops.push(() => nodes.stop())
  return { nodes, api }
}

/** As Karpenter launches it: the API server is where EKS said it is. */
const launched = (endpoint: string, caPem: string): BootingInstance => ({
  ...instance,
  profile: 'nodes',
  tags: {},
  userData: `apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  cluster:
    name: blue
    apiServerEndpoint: ${endpoint}
    certificateAuthority: ${Buffer.from(caPem).toString('base64')}
`
})

const registers = 'POST /api/v1/nodes'

describe('an instance that boots', () => {
  it('joins though EC2 tells of its profile a moment after it tells of the instance', async () => {
    const registered = Promise.withResolvers<undefined>()
    let reads = 0
    const { nodes, api } = await nodesOf(
      async () => [reads++ < 2 ? instance : { ...instance, profile: 'nodes' }],
      {
        answer: (call) => {
          if (call === registers) registered.resolve(undefined)
        }
      }
    )
    await registered.promise
    expect(api.calls).toContain(registers)
    expect(nodes.refusals).toEqual([expect.stringContaining('the instance has no role')])
  })

  it('joins by a relay that EKS says is the endpoint', async () => {
    const registered = Promise.withResolvers<undefined>()
    const statedEndpoint = 'https://127.0.0.1:2'
    const { nodes } = await nodesOf(async (caPem) => [launched(statedEndpoint, caPem)], {
      statedEndpoint,
      answer: (call) => {
        if (call === registers) registered.resolve(undefined)
      }
    })
    await registered.promise
    expect(nodes.refusals).toEqual([])
  })

  it('does not join by an address that nobody states', async () => {
    const refused = Promise.withResolvers<string>()
    const { api } = await nodesOf(async (caPem) => [launched('https://127.0.0.1:3', caPem)], {
      statedEndpoint: 'https://127.0.0.1:2',
      log: refused.resolve
    })
    expect(await refused.promise).toContain(
      'names the API server https://127.0.0.1:3, where no cluster answers'
    )
    expect(api.calls).not.toContain(registers)
  })

  it('leaves no Node behind where its machine goes while it registers', async () => {
    const asked = Promise.withResolvers<undefined>()
    const gone = Promise.withResolvers<undefined>()
    const removed = Promise.withResolvers<undefined>()
    let instances: readonly BootingInstance[] = [{ ...instance, profile: 'nodes' }]
    let changed = (): void => undefined
    let removals = 0
    await nodesOf(async () => instances, {
      listening: (listener) => (changed = listener),
      answer: async (call) => {
        if (call === registers) {
          asked.resolve(undefined)
          await gone.promise
        }
        // Once for the machine that went, when there may be no Node yet, and once for the Node that came after it.
        if (call === `DELETE /api/v1/nodes/${instance.privateDnsName}` && ++removals === 2)
          removed.resolve(undefined)
      },
      log: (line) => {
        if (line.endsWith('its machine is gone')) gone.resolve(undefined)
      }
    })
    await asked.promise
    instances = []
    changed()
    await removed.promise
    expect(removals).toBe(2)
  })

  it('while all stops is not tried again: no timer is left behind', async () => {
    const [asked, failed] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
    const { nodes } = await nodesOf(async () => [{ ...instance, profile: 'nodes' }], {
      answer: async (call) => {
        if (call !== registers) return
        asked.resolve(undefined)
        await failed.promise
      },
      log: (line) => {
        if (line.includes('not registered')) failed.resolve(undefined)
      }
    })
    await asked.promise
    const timers = jest.spyOn(globalThis, 'setTimeout')
    try {
      await nodes.stop()
      await failed.promise
      const again = timers.mock.calls.filter(([, milliseconds]) => milliseconds === tryAgain)
      expect(again).toEqual([])
    } finally {
      timers.mockRestore()
    }
  })
})

test('many changes of instances at once are looked at together', async () => {
  const lists: (() => void)[] = []
  let changed = (): void => undefined
  await nodesOf(
    async () =>
      new Promise((resolve) => {
        lists.push(() => resolve([]))
      }),
    {
      listening: (listener) => {
        changed = listener
      }
    }
  )
  while (lists.length === 0) await new Promise((resolve) => setImmediate(resolve))
  for (let launch = 0; launch < 50; launch++) changed()
  lists[0]?.()
  while (lists.length === 1) await new Promise((resolve) => setImmediate(resolve))
  lists[1]?.()
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(lists).toHaveLength(2)
})
