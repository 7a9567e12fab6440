import { createServer, type Server } from 'node:http'
import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonical, isMap } from '../../../src/engine/json.js'
import { sha256Of } from '../../../src/helm/artifact.js'
import { publicTrust, trustRoot, type TrustSource } from '../../../src/helm/signature/trust-root.js'
import { containing } from '../../kubernetes/containing.js'

/** A repository of The Update Framework (its specification 1.0) with one key for all roles. */
class TufRepository {
  readonly files = new Map<string, Buffer>()
  readonly #key = generateKeyPairSync('ed25519')

  constructor(trusted: unknown) {
    const target = Buffer.from(JSON.stringify(trusted))
    const targets = this.signed('targets', { targets: { 'trusted_root.json': metaOf(target) } })
    const snapshot = this.signed('snapshot', { meta: { 'targets.json': { version: 1 } } })
    this.files
      .set('/1.targets.json', targets)
      .set('/1.snapshot.json', snapshot)
      .set('/timestamp.json', this.signed('timestamp', { meta: { 'snapshot.json': { version: 1 } } }))
      .set(`/targets/${sha256Of(target).replace('sha256:', '')}.trusted_root.json`, target)
  }

  signed(type: string, fields: Readonly<Record<string, unknown>>, expires = '2126-01-01T00:00:00Z'): Buffer {
    const signed = { _type: type, spec_version: '1.0.0', version: 1, expires, ...fields }
    const sig = sign(null, Buffer.from(canonical(signed)), this.#key.privateKey).toString('hex')
    return Buffer.from(JSON.stringify({ signatures: [{ keyid: 'key', sig }], signed }))
  }

  get root(): Buffer {
    const { x = '' } = this.#key.publicKey.export({ format: 'jwk' })
    const role = { keyids: ['key'], threshold: 1 }
    return this.signed('root', {
      consistent_snapshot: true,
      keys: {
        key: {
          keytype: 'ed25519',
          scheme: 'ed25519',
          keyval: { public: Buffer.from(x, 'base64url').toString('hex') }
        }
      },
      roles: { root: role, timestamp: role, snapshot: role, targets: role }
    })
  }
}

function metaOf(bytes: Buffer) {
  return { length: bytes.length, hashes: { sha256: sha256Of(bytes).replace('sha256:', '') } }
}

const carried = { is: 'carried' }
const newest = { is: 'newest' }
let repository: TufRepository
let server: Server
let folder: string

beforeEach(async () => {
  repository = new TufRepository(newest)
  folder = mkdtempSync(join(tmpdir(), 'trust-root-test-'))
  server = createServer((request, response) => {
    const file = repository.files.get(request.url ?? '')
    if (file === undefined) response.writeHead(404).end()
    else response.end(file)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  expect(readdirSync(folder)).toEqual([])
  rmSync(folder, { recursive: true })
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function source(): TrustSource {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return { url: `http://127.0.0.1:${address.port}`, root: repository.root, carried }
}

async function renewed(from = source(), signal = new AbortController().signal) {
  return trustRoot(from, folder, { proxyEnv: {}, signal })
}

test('the newest trust root is had by the root that is carried', async () => {
  expect(await renewed()).toEqual({ value: newest, notRenewed: undefined })
})

test.each<readonly [string, () => void, string]>([
  ['is not there', () => repository.files.clear(), 'HTTP 404'],
  [
    'is signed by somebody else',
    () =>
      repository.files.set(
        '/timestamp.json',
        new TufRepository({}).signed('timestamp', { meta: { 'snapshot.json': { version: 1 } } })
      ),
    'timestamp'
  ],
  [
    'has run out',
    () =>
      repository.files.set(
        '/timestamp.json',
        repository.signed('timestamp', { meta: { 'snapshot.json': { version: 1 } } }, '2020-01-01T00:00:00Z')
      ),
    'expired'
  ],
  [
    'has another target than it says',
    () => {
      for (const path of repository.files.keys())
        if (path.startsWith('/targets/')) repository.files.set(path, Buffer.from('{"is":"something else"}'))
    },
    ''
  ]
])('the carried one is taken where the repository %s, and it is said why', async (_what, change, reason) => {
  const from = source()
  change()
  expect(await renewed(from)).toEqual({ value: carried, notRenewed: containing(reason) })
})

test('a run that is to end does not go on with the carried one', async () => {
  const aborting = new AbortController()
  const renewing = renewed(source(), aborting.signal)
  aborting.abort(new Error('cancelled'))
  await expect(renewing).rejects.toThrow('cancelled')
})

test("the release carries the public instance's trust root, and its certificate authority and logs are still in use", () => {
  const { url, carried: root } = publicTrust()
  expect(url).toBe('https://tuf-repo-cdn.sigstore.dev')
  if (!isMap(root)) throw new Error('it is no object')
  const inUse = (list: unknown, when: (one: Record<string, unknown>) => unknown): number =>
    Array.isArray(list)
      ? list.filter(isMap).filter((one) => {
          const validFor = when(one)
          return !isMap(validFor) || validFor['end'] === undefined
        }).length
      : 0
  const ofKey = ({ publicKey }: Record<string, unknown>) => isMap(publicKey) && publicKey['validFor']
  expect(inUse(root['certificateAuthorities'], ({ validFor }) => validFor)).toBeGreaterThan(0)
  expect(inUse(root['tlogs'], ofKey)).toBeGreaterThan(0)
  expect(inUse(root['ctlogs'], ofKey)).toBeGreaterThan(0)
})
