import { createServer } from 'node:https'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority } from '../../../sandbox/certificates.js'
import { listen } from '../../../sandbox/listen.js'
import { startNodes, type BootingInstance } from '../../../sandbox/nodes/index.js'

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

describe('an instance that boots', () => {
  it('joins though EC2 tells of its profile a moment after it tells of the instance', async () => {
    const authority = await createAuthority('boot')
    const served = await authority.issue({ commonName: 'api', ipAddresses: ['127.0.0.1'], usage: 'server' })
    const admin = await authority.issue({ commonName: 'admin', usage: 'client' })
    const registered = Promise.withResolvers<string>()
    const server = createServer({ cert: served.certPem, key: served.keyPem }, (request, response) => {
      request.resume()
      if (request.method === 'POST' && request.url === '/api/v1/nodes') registered.resolve('registered')
      // A watch stays open; everything else is taken.
      if (request.url?.includes('watch=') === true) return
      response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' })
      response.end('{"items":[],"metadata":{"resourceVersion":"1"}}')
    })
    const { port, close } = await listen(server)
    const folder = await mkdtemp(join(tmpdir(), 'boot-'))
    let reads = 0
    const nodes = await startNodes({
      region: 'eu-west-1',
      clusterName: 'blue',
      kubernetesVersion: '1.35',
      apiEndpoint: `https://127.0.0.1:${port}`,
      apiCa: authority.certPem,
      admin,
      authority,
      cloudUrl: 'http://127.0.0.1:1',
      folder,
      instances: async () => [reads++ < 2 ? instance : { ...instance, profile: 'nodes' }],
      onInstancesChanged: () => () => undefined,
      describeType: async () => ({}),
      roleOf: () => 'arn:aws:iam::111122223333:role/nodes',
      nodeIdentity: async () => ({ username: 'system:node:one', groups: ['system:nodes'] }),
      credentialsOf: () => ({ accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' }),
      hasAssociation: () => false,
      controllerBinary: () => undefined,
      bootTime: 1
    })
    try {
      expect(await registered.promise).toBe('registered')
      expect(nodes.refusals).toEqual([expect.stringContaining('the instance has no role')])
    } finally {
      await nodes.stop()
      await close()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
