import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { createServer } from 'node:https'
import { type IncomingMessage, ServerResponse } from 'node:http'
import { createAuthority } from '../../sandbox/certificates.js'
import type { ApiFault } from '../../sandbox/control-plane/api-faults.js'
import { listen } from '../../sandbox/listen.js'
import { createKubernetes, type Kubernetes } from '../../src/kubernetes/client.js'
import type { Caller } from '../../src/kubernetes/errors.js'
import { isMap } from '../../src/engine/json.js'
import { listField, textField } from '../../src/kubernetes/manifest.js'
import type { Pace } from '../../src/kubernetes/endurance.js'
import type { KubernetesRequest } from '../../src/kubernetes/transport.js'
import { swiftPace } from './pace.js'

/** What a test answers in the server's place; undefined: the server answers itself. */
export type Intercept = (request: Call, response: ServerResponse) => boolean | undefined

export interface Call {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: unknown
  readonly contentType: string
  readonly accept: string
}

type Stored = Record<string, unknown> & { metadata: Record<string, unknown> }

interface Watch {
  readonly collection: string
  readonly response: ServerResponse
  readonly name: string | undefined
}

interface Event {
  readonly version: number
  readonly path: string
  readonly line: string
}

function send({ path, line }: Event, { collection, name, response }: Watch): void {
  if (isIn(collection, path) && (name === undefined || path.endsWith(`/${name}`))) response.write(line)
}

/** As much of an API server as the client needs: objects by path, resource versions, watches, over TLS. */
export class ApiServer {
  readonly calls: Call[] = []
  readonly sent: KubernetesRequest[] = []
  intercept: Intercept = () => undefined
  trouble: (call: Call) => ApiFault | undefined = () => undefined
  readonly kubernetes: Kubernetes
  readonly endpoint: string
  readonly certificateAuthority: string
  readonly #objects = new Map<string, Stored>()
  readonly #watches = new Set<Watch>()
  /** All that has happened: a watch begins after the version that it names. */
  readonly #events: Event[] = []
  readonly #close: () => Promise<void>
  #version = 1

  private constructor(endpoint: string, certificateAuthority: string, close: () => Promise<void>) {
    this.endpoint = endpoint
    this.certificateAuthority = certificateAuthority
    this.#close = close
    this.kubernetes = this.client({})
  }

  static async start(): Promise<ApiServer> {
    const authority = await createAuthority('test')
    const { certPem, keyPem } = await authority.issue({
      commonName: 'api',
      ipAddresses: ['127.0.0.1'],
      usage: 'server'
    })
    const box: { server?: ApiServer } = {}
    const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
      void box.server?.answer(request, response)
    })
    const listening = await listen(server)
    const started = new ApiServer(`https://127.0.0.1:${listening.port}`, authority.certPem, () =>
      listening.close()
    )
    box.server = started
    return started
  }

  client(options: {
    readonly caller?: Partial<Caller>
    readonly signal?: AbortSignal
    readonly endpoint?: string
    readonly proxyEnv?: Readonly<Record<string, string>>
    readonly pace?: Pace
    readonly beforeWrite?: () => Promise<void>
    readonly answered?: boolean
    readonly connectTimeout?: number
  }): Kubernetes {
    return createKubernetes({
      endpoint: options.endpoint ?? this.endpoint,
      certificateAuthority: this.certificateAuthority,
      token: async () => 'token',
      proxyEnv: options.proxyEnv ?? {},
      signal: options.signal ?? new AbortController().signal,
      // A server that is only busy answers in time.
      connectTimeout: options.connectTimeout ?? 30_000,
      pace: options.pace ?? swiftPace(),
      ...(options.beforeWrite !== undefined && { beforeWrite: options.beforeWrite }),
      ...(options.answered !== undefined && { answered: options.answered }),
      record: (request) => this.sent.push(request),
      caller: {
        arn: 'arn:aws:sts::111122223333:assumed-role/deployer/run-1',
        clusterName: 'blue',
        region: 'eu-west-1',
        authenticationMode: 'API',
        ...options.caller
      }
    })
  }

  async stop(): Promise<void> {
    this.kubernetes.close()
    await this.#close()
  }

  /** Puts an object there as if its controller had written it. */
  put(path: string, object: Record<string, unknown>): Stored {
    const before = this.#objects.get(path)
    const metadata = isMap(object['metadata']) ? object['metadata'] : {}
    const stored = {
      ...object,
      metadata: {
        uid: before?.metadata['uid'] ?? randomUUID(),
        creationTimestamp: before?.metadata['creationTimestamp'] ?? new Date().toISOString(),
        ...metadata,
        name: path.split('/').at(-1),
        resourceVersion: String(++this.#version)
      }
    }
    this.#objects.set(path, stored)
    this.#tell(before === undefined ? 'ADDED' : 'MODIFIED', path, stored)
    return stored
  }

  at(path: string): Stored | undefined {
    return this.#objects.get(path)
  }

  get paths(): readonly string[] {
    return [...this.#objects.keys()]
  }

  /** Objects whose path begins so. */
  under(path: string): readonly Stored[] {
    return [...this.#objects].filter(([one]) => one.startsWith(path)).map(([, object]) => object)
  }

  remove(path: string): void {
    const stored = this.#objects.get(path)
    if (stored === undefined) return
    this.#objects.delete(path)
    stored.metadata['resourceVersion'] = String(++this.#version)
    this.#tell('DELETED', path, stored)
  }

  /** Ends every watch as the real server does from time to time. */
  endWatches(): void {
    for (const watch of this.#watches) watch.response.end()
    this.#watches.clear()
  }

  get watching(): number {
    return this.#watches.size
  }

  writes(): readonly Call[] {
    return this.calls.filter((call) => call.method !== 'GET')
  }

  #tell(type: string, path: string, object: unknown): void {
    const event = { version: this.#version, path, line: `${JSON.stringify({ type, object })}\n` }
    this.#events.push(event)
    for (const watch of this.#watches) send(event, watch)
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const url = new URL(request.url ?? '', this.endpoint)
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    const call = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      body,
      contentType: request.headers['content-type'] ?? '',
      accept: request.headers.accept ?? ''
    }
    this.calls.push(call)
    const trouble = this.trouble(call)
    if (trouble?.done === true) this.#carryOut(call, new ServerResponse(request))
    if (trouble?.answer === 'reset') return void response.destroy()
    if (trouble !== undefined) return status(response, trouble.answer, 'Trouble', 'the server is in trouble')
    this.#carryOut(call, response)
  }

  #carryOut(call: Call, response: ServerResponse): void {
    if (this.intercept(call, response) === true) return
    const { body } = call
    if (call.method === 'GET') return this.#read(call, response)
    if (call.query.get('dryRun') === 'All') return json(response, 200, body)
    if (call.method === 'DELETE') {
      const going = this.#objects.get(call.path)
      if (going === undefined) return status(response, 404, 'NotFound', 'not found')
      // apiserver/pkg/storage: Preconditions.Check.
      for (const name of ['uid', 'resourceVersion']) {
        const asked = textField(body, 'preconditions', name)
        if (asked !== undefined && asked !== going.metadata[name])
          return status(response, 409, 'Conflict', `Precondition failed: ${name} is another one`)
      }
      const deletionTimestamp = going.metadata['deletionTimestamp'] ?? new Date().toISOString()
      if (isFree(going)) this.remove(call.path)
      else this.put(call.path, { ...going, metadata: { ...going.metadata, deletionTimestamp } })
      return json(response, 200, { kind: 'Status', status: 'Success' })
    }
    const object = isMap(body) ? body : {}
    if (call.method === 'POST') {
      const path = `${call.path}/${textField(body, 'metadata', 'name') ?? ''}`
      if (this.#objects.has(path)) return status(response, 409, 'AlreadyExists', 'already exists')
      return json(response, 201, this.put(path, object))
    }
    const live = this.#objects.get(call.path)
    if (call.contentType.includes('apply-patch'))
      return json(response, 200, this.put(call.path, { ...live, ...object }))
    if (live === undefined) return status(response, 404, 'NotFound', 'not found')
    if (call.contentType.includes('json-patch+json')) return this.#jsonPatch(call, live, response)
    const version = textField(body, 'metadata', 'resourceVersion')
    if (version !== undefined && version !== live.metadata['resourceVersion']) {
      return status(response, 409, 'Conflict', 'the object has been modified')
    }
    const patched = this.put(call.path, merged(live, object))
    if (patched.metadata['deletionTimestamp'] !== undefined && isFree(patched)) this.remove(call.path)
    return json(response, 200, patched)
  }

  #read(call: Call, response: ServerResponse): void {
    const stored = this.#objects.get(call.path)
    if (stored !== undefined) return json(response, 200, stored)
    const name = /metadata\.name=(.+)/.exec(call.query.get('fieldSelector') ?? '')?.[1]
    if (call.query.get('watch') === 'true') {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
      const watch = { collection: call.path, response, name }
      const from = Number(call.query.get('resourceVersion') ?? this.#version)
      for (const event of this.#events) if (event.version > from) send(event, watch)
      this.#watches.add(watch)
      response.once('close', () => this.#watches.delete(watch))
      return
    }
    const collection = /\/(namespaces\/[^/]+\/)?[a-z0-9]+$/.test(call.path) && isCollection(call.path)
    if (!collection) return status(response, 404, 'NotFound', `${call.path} not found`)
    const items = [...this.#objects]
      .filter(([path]) => isIn(call.path, path) && (name === undefined || path.endsWith(`/${name}`)))
      .map(([, object]) => object)
      .filter((object) => labelled(object, call.query.get('labelSelector')))
    const metadata = { resourceVersion: String(this.#version) }
    if (call.accept.includes('as=Table') && call.path.endsWith('/deployments'))
      return json(response, 200, printed(metadata, items))
    const isMetadata = call.accept.includes('as=PartialObjectMetadataList')
    json(response, 200, { kind: 'List', metadata, items: isMetadata ? items.map(metadataOf) : items })
  }

  #jsonPatch(call: Call, live: Stored, response: ServerResponse): void {
    const object = structuredClone(live)
    for (const operation of Array.isArray(call.body) ? call.body : []) {
      const path = (textField(operation, 'path') ?? '')
        .split('/')
        .slice(1)
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
      const last = path.pop() ?? ''
      let at: unknown = object
      for (const name of path) at = isMap(at) ? at[name] : undefined
      const value: unknown = isMap(operation) ? operation['value'] : undefined
      if (!isMap(at)) return status(response, 422, 'Invalid', 'no such path')
      if (textField(operation, 'op') !== 'test') at[last] = value
      else if (at[last] !== value) return status(response, 422, 'Invalid', 'the test failed')
    }
    json(response, 200, this.put(call.path, object))
  }
}

function metadataOf({ metadata }: Stored): Readonly<Record<string, unknown>> {
  return { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata }
}

/** Of a Deployment's columns those that are needed. */
function printed(metadata: unknown, items: readonly Stored[]): Readonly<Record<string, unknown>> {
  const images = (item: Stored): string =>
    listField(item, 'spec', 'template', 'spec', 'containers')
      .map((container) => textField(container, 'image') ?? '')
      .join(',')
  return {
    apiVersion: 'meta.k8s.io/v1',
    kind: 'Table',
    metadata,
    columnDefinitions: [{ name: 'Name' }, { name: 'Images' }],
    rows: items.map((item) => ({
      cells: [item.metadata['name'], images(item)],
      object: metadataOf(item)
    }))
  }
}

/** No finalizer holds it. */
function isFree({ metadata }: Stored): boolean {
  const { finalizers } = metadata
  return !Array.isArray(finalizers) || finalizers.length === 0
}

/** A namespaced kind's collection without a namespace has the objects of all namespaces. */
function isIn(collection: string, path: string): boolean {
  const [, root = '', plural = ''] = /^(.+)\/([^/]+)$/.exec(collection) ?? []
  const rest = path.startsWith(`${root}/namespaces/`) ? path.slice(root.length).split('/') : []
  return path.startsWith(`${collection}/`) || (rest.length === 5 && rest[3] === plural)
}

/** Collections end in a plural; in these tests no object is named like one. */
function isCollection(path: string): boolean {
  return /\/(v1|v1alpha1|namespaces\/[^/]+)\/[a-z0-9]+$/.test(path) && path.endsWith('s')
    ? !/namespaces\/[^/]+$/.test(path) || path.endsWith('namespaces')
    : path.endsWith('es')
}

function labelled(object: Stored, selector: string | null): boolean {
  const labels = isMap(object.metadata['labels']) ? object.metadata['labels'] : {}
  return (selector ?? '')
    .split(',')
    .filter((part) => part !== '')
    .every((part) => {
      const not = /^(.+)!=(.*)$/.exec(part)
      if (not !== null) return labels[not[1] ?? ''] !== not[2]
      const equal = /^([^=]+)=(.*)$/.exec(part)
      return equal === null ? part in labels : labels[equal[1] ?? ''] === equal[2]
    })
}

function merged(below: Record<string, unknown>, above: Record<string, unknown>): Record<string, unknown> {
  const result = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const under = result[key]
    result[key] = isMap(under) && isMap(value) ? merged(under, value) : value
  }
  return result
}

export function json(response: ServerResponse, code: number, body: unknown): void {
  const text = JSON.stringify(body)
  const packed = isPacked(response, text)
  if (packed) response.setHeader('content-encoding', 'gzip')
  response.writeHead(code, { 'content-type': 'application/json' }).end(packed ? gzipSync(text) : text)
}

/** As the API server does it: what is longer than 128 KiB (defaultGzipThresholdBytes in apiserver's writers.go). */
function isPacked({ req }: ServerResponse, text: string): boolean {
  return text.length > 128 * 1024 && /\bgzip\b/.test(String(req.headers['accept-encoding']))
}

export function status(response: ServerResponse, code: number, reason: string, message: string): void {
  json(response, code, { kind: 'Status', status: 'Failure', code, reason, message })
}
