import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { listen } from '../../sandbox/listen.js'
import { configMaps, deployments, namespaces, nodePools, nodes } from '../../src/kubernetes/kinds.js'
import { containing } from './containing.js'
import { ApiServer, json, status } from './api-server.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

const map = '/api/v1/namespaces/kube-system/configmaps/one'

test('an object that does not exist is undefined, and so is one whose kind is not served', async () => {
  expect(await server.kubernetes.get(configMaps, 'one', 'kube-system')).toBeUndefined()
  expect(await server.kubernetes.get(nodePools, 'default')).toBeUndefined()
})

test('a list is read in pages of 500, and its items get their kind', async () => {
  server.intercept = (call, response) => {
    if (call.query.get('continue') === 'next') {
      json(response, 200, { metadata: { resourceVersion: '7' }, items: [{ metadata: { name: 'b' } }] })
    } else {
      json(response, 200, {
        metadata: { resourceVersion: '7', continue: 'next' },
        items: [{ metadata: { name: 'a' } }]
      })
    }
    return true
  }
  const found = await server.kubernetes.list(nodes)
  expect(found.items.map((one) => [one.kind, one.metadata?.name])).toEqual([
    ['Node', 'a'],
    ['Node', 'b']
  ])
  expect(server.calls.map((call) => call.query.get('limit'))).toEqual(['500', '500'])
})

test('of a long list only what is picked is kept, page by page', async () => {
  server.intercept = (call, response) => {
    const page = Number(call.query.get('continue') ?? 0)
    json(response, 200, {
      metadata: { resourceVersion: '7', ...(page < 2 && { continue: String(page + 1) }) },
      items: [{ metadata: { name: `node-${page}`, uid: `uid-${page}` }, status: { images: [] } }]
    })
    return true
  }
  const found = await server.kubernetes.pick(nodes, (node) => node.metadata?.uid, { labelSelector: 'a=b' })
  expect(found).toEqual({ items: ['uid-0', 'uid-1', 'uid-2'], resourceVersion: '7' })
  expect(server.calls.map(({ query }) => [query.get('limit'), query.get('labelSelector')])).toEqual(
    Array.from({ length: 3 }, () => ['500', 'a=b'])
  )
})

test('metadata alone is asked for by its media type, and read as objects of their kind', async () => {
  server.put('/apis/karpenter.sh/v1/nodepools/default', {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { labels: { a: 'b' } },
    spec: { weight: 5 }
  })
  const found = await server.kubernetes.list(nodePools, { metadataOnly: true })
  expect(found.items).toEqual([
    {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: expect.objectContaining({ name: 'default', labels: { a: 'b' } }) as unknown
    }
  ])
  expect(server.calls.map(({ accept }) => accept)).toEqual([
    'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'
  ])
})

test("a column of what the server prints comes with the objects' metadata, page by page", async () => {
  server.intercept = (call, response) => {
    const second = call.query.get('continue') === 'next'
    const name = second ? 'b' : 'a'
    json(response, 200, {
      kind: 'Table',
      metadata: second ? {} : { continue: 'next' },
      columnDefinitions: [{ name: 'Name' }, { name: 'Images' }],
      rows: [
        { cells: [name, `image-${name}`], object: { kind: 'PartialObjectMetadata', metadata: { name } } }
      ]
    })
    return true
  }
  const rows = await server.kubernetes.column(deployments, 'Images', ({ metadata }) => metadata?.name)
  expect(rows).toEqual([
    { cell: 'image-a', picked: 'a' },
    { cell: 'image-b', picked: 'b' }
  ])
  expect(server.calls[0]?.query.get('includeObject')).toBe('Metadata')
  expect(await server.kubernetes.column(deployments, 'Weight', () => 0)).toBeUndefined()
  const second = await server.kubernetes.column(deployments, 'Images', (_one, [name]) =>
    name === 'b' ? 'picked' : undefined
  )
  expect(second).toEqual([{ cell: 'image-b', picked: 'picked' }])
})

test('who wrote each field is not made where metadata alone is asked for', async () => {
  const metadata = { name: 'a', managedFields: [{ manager: 'helm', fieldsV1: { 'f:spec': {} } }], labels: {} }
  server.intercept = (call, response) => {
    json(
      response,
      200,
      call.query.get('includeObject') === null
        ? { kind: 'NodePoolList', metadata: {}, items: [{ metadata }] }
        : {
            kind: 'Table',
            metadata: {},
            columnDefinitions: [{ name: 'Images' }],
            rows: [{ cells: ['a'], object: { kind: 'PartialObjectMetadata', metadata } }]
          }
    )
    return true
  }
  const listed = await server.kubernetes.list(nodePools, { metadataOnly: true })
  const rows = await server.kubernetes.column(deployments, 'Images', (one) => one.metadata)
  const bare = { name: 'a', managedFields: null, labels: {} }
  expect(listed.items.map((one) => one.metadata)).toEqual([bare])
  expect(rows?.map(({ picked }) => picked)).toEqual([bare])
  expect((await server.kubernetes.list(nodePools)).items.map((one) => one.metadata)).toEqual([metadata])
})

describe('a page that the server packs', () => {
  const text = 'ü'.repeat(200_000)
  const list = {
    metadata: { resourceVersion: '7' },
    items: [{ metadata: { name: 'a', annotations: { text } } }, { metadata: { name: 'b' } }]
  }

  it('is asked for, and read as any other', async () => {
    const encodings: unknown[] = []
    server.intercept = (_, response) => {
      json(response, 200, list)
      encodings.push(response.getHeader('content-encoding'))
      return true
    }
    const found = await server.kubernetes.pick(
      nodes,
      ({ metadata }) => metadata?.annotations?.['text'] === text
    )
    expect([found.items, encodings]).toEqual([[true, false], ['gzip']])
  })

  it('is asked for again when it breaks off', async () => {
    server.intercept = (_, response) => {
      if (server.calls.length > 1) json(response, 200, list)
      else {
        response.writeHead(200, { 'content-encoding': 'gzip' })
        response.write(gzipSync(JSON.stringify(list)).subarray(0, 100), () => response.destroy())
      }
      return true
    }
    const found = await server.kubernetes.pick(nodes, ({ metadata }) => metadata?.name)
    expect([found.items, server.calls.length]).toEqual([['a', 'b'], 2])
  })
})

test('whether there is one at all is asked for with one object, however many there are', async () => {
  const fargate = { labels: { type: 'fargate' } }
  server.put('/api/v1/nodes/a', { apiVersion: 'v1', kind: 'Node', metadata: fargate })
  server.put('/api/v1/nodes/b', { apiVersion: 'v1', kind: 'Node', metadata: fargate })
  expect(await server.kubernetes.any(nodes, { labelSelector: 'type=fargate' })).toBe(true)
  expect(await server.kubernetes.any(nodes, { labelSelector: 'type!=fargate' })).toBe(false)
  expect(server.calls.map(({ query }) => query.get('limit'))).toEqual(['1', '1'])
})

test('of a kind that is not served there is none', async () => {
  server.intercept = (_call, response) => {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found')
    return true
  }
  expect(await server.kubernetes.any(nodes, {})).toBe(false)
  expect((await server.kubernetes.list(nodes, {})).items).toEqual([])
})

test('a list whose continuation has expired is read again from its start', async () => {
  let asked = 0
  server.intercept = (call, response) => {
    asked++
    if (call.query.has('continue')) status(response, 410, 'Expired', 'too old')
    else {
      json(response, 200, {
        metadata: { resourceVersion: '7', ...(asked === 1 && { continue: 'x' }) },
        items: [{ metadata: { name: 'a' } }]
      })
    }
    return true
  }
  const found = await server.kubernetes.list(nodes)
  expect(found.items).toHaveLength(1)
  expect(asked).toBe(3)
})

test('server-side apply says who writes, with force and dry run as asked for', async () => {
  const manifest = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'one', namespace: 'kube-system' }
  }
  await server.kubernetes.apply(configMaps, manifest, {
    force: true,
    dryRun: true,
    fieldValidation: 'Strict'
  })
  const [call] = server.calls
  expect(call?.contentType).toBe('application/apply-patch+yaml')
  expect(Object.fromEntries(call?.query ?? [])).toEqual({
    fieldManager: 'setup-karpenter',
    force: 'true',
    dryRun: 'All',
    fieldValidation: 'Strict'
  })
  expect(server.at(map)).toBeUndefined()
})

test('a refusal names verb, resource and namespace, and how to let the caller in', async () => {
  server.intercept = (_call, response) => {
    status(response, 403, 'Forbidden', 'deployments.apps is forbidden')
    return true
  }
  await expect(server.kubernetes.list(deployments, { namespace: 'karpenter' })).rejects.toMatchObject({
    status: 403,
    permission: 'list deployments.apps in namespace karpenter',
    fix: containing('aws eks associate-access-policy --cluster-name blue --region eu-west-1')
  })
})

describe('a caller that is not in the cluster', () => {
  beforeEach(() => {
    server.intercept = (_call, response) => {
      status(response, 401, 'Unauthorized', 'Unauthorized')
      return true
    }
  })

  test('is shown the access entry to make', async () => {
    await expect(server.kubernetes.version()).rejects.toMatchObject({
      message:
        'cluster access: arn:aws:sts::111122223333:assumed-role/deployer/run-1 is not known to cluster blue',
      fix: containing('--principal-arn arn:aws:iam::111122223333:role/deployer')
    })
  })

  test('is shown the aws-auth line to make when the cluster knows no access entries', async () => {
    const kubernetes = server.client({ caller: { authenticationMode: 'CONFIG_MAP' } })
    await expect(kubernetes.version()).rejects.toMatchObject({
      fix: containing('eksctl create iamidentitymapping --cluster blue --region eu-west-1')
    })
    kubernetes.close()
  })
})

test('a caller that was accepted before is told that its credentials ended', async () => {
  server.put('/api/v1/namespaces/one', { apiVersion: 'v1', kind: 'Namespace' })
  await server.kubernetes.get(namespaces, 'one')
  server.intercept = (_call, response) => {
    status(response, 401, 'Unauthorized', 'Unauthorized')
    return true
  }
  await expect(server.kubernetes.get(namespaces, 'one')).rejects.toMatchObject({
    message: containing('no longer accepts')
  })
})

test('an endpoint that does not answer is unreachable, with what to do about a private one', async () => {
  const silent = createServer()
  const listening = await listen(silent)
  const kubernetes = server.client({
    endpoint: `https://127.0.0.1:${listening.port}`,
    connectTimeout: 300
  })
  await expect(kubernetes.version()).rejects.toMatchObject({
    name: 'UnreachableError',
    message: containing('does not answer within 0.3 s'),
    fix: containing('private')
  })
  kubernetes.close()
  await listening.close()
})

test('closing cuts off what is under way, and nothing of it is sent again', async () => {
  const silent = createServer()
  const arrived = Promise.withResolvers<undefined>()
  const connections: unknown[] = []
  silent.on('connection', (socket) => {
    connections.push(socket)
    arrived.resolve(undefined)
  })
  const listening = await listen(silent)
  const kubernetes = server.client({
    endpoint: `https://127.0.0.1:${listening.port}`,
    connectTimeout: 300
  })
  const asked = kubernetes.version()
  const outcome = expect(asked).rejects.toMatchObject({ name: 'UnreachableError' })
  await arrived.promise
  kubernetes.close()
  await outcome
  expect(connections).toHaveLength(1)
  await listening.close()
})

test('closing ends a watch, and it is not begun again', async () => {
  const watches = (): number => server.calls.filter(({ query }) => query.get('watch') === 'true').length
  const kubernetes = server.client({})
  const { resourceVersion } = await kubernetes.list(namespaces, {})
  const events = kubernetes.watch(namespaces, { resourceVersion })
  const first = events[Symbol.asyncIterator]().next()
  while (watches() === 0) await new Promise((resolve) => setImmediate(resolve))
  kubernetes.close()
  expect(await first).toEqual({ done: true, value: undefined })
  expect(watches()).toBe(1)
  await expect(kubernetes.list(namespaces, {})).rejects.toThrow('closed')
})

test('deleting what is gone, or another object of the name, is no error', async () => {
  expect(await server.kubernetes.delete(nodePools, { name: 'default' })).toBe('absent')
  server.intercept = (_call, response) => {
    status(response, 409, 'Conflict', 'the UID in the precondition does not match')
    return true
  }
  expect(await server.kubernetes.delete(nodePools, { name: 'default' }, { uid: 'other' })).toBe('absent')
})

test('every request is on record, once', async () => {
  await server.kubernetes.get(nodePools, 'default')
  expect(server.sent).toMatchObject([
    { method: 'GET', path: '/apis/karpenter.sh/v1/nodepools/default', status: 404 }
  ])
})
