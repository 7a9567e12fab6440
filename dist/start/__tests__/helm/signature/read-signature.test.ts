import { readFileSync, writeFileSync } from 'node:fs'
import {
  type ChartSignature,
  type ChartSigner,
  releaseIdentity,
  startSigner
} from '../../../sandbox/published/signer.js'
import { type JsonMap, mapAt } from '../../../src/engine/json.js'
import { readSignature, type Signature } from '../../../src/helm/signature/read-signature.js'
import type { SignatureRequest } from '../../../src/helm/signature/request.js'
import { releaseWorkflow } from '../../../src/helm/signature/signer.js'
import { containing } from '../../kubernetes/containing.js'
import { RegistryServer } from './registry-server.js'

const artifact = 'public.ecr.aws/karpenter/karpenter'
const other = 'https://github.com/aws/karpenter-provider-aws/.github/workflows/ci.yaml@refs/heads/main'
const bundleAnnotation = 'dev.sigstore.cosign/bundle'
let signer: ChartSigner
let registry: RegistryServer

beforeAll(async () => {
  signer = await startSigner()
})
beforeEach(async () => {
  registry = await new RegistryServer().start()
})
afterEach(async () => registry.stop())

async function signed(
  changes: Partial<Parameters<ChartSigner['sign']>[0]> = {},
  by = signer
): Promise<ChartSignature> {
  return by.sign({
    artifact,
    digest: registry.digest,
    version: '1.14.0',
    identity: releaseIdentity('1.14.0'),
    ...changes
  })
}

async function read(
  changes: Partial<SignatureRequest> = {},
  pulled = registry.pulled,
  signal = new AbortController().signal
): Promise<Signature> {
  const request = { wanted: 'warn', trustRoot: signer.trustRoot, signer: undefined, ...changes } as const
  return readSignature(request, pulled, { temporary: registry.folder, proxyEnv: {}, signal })
}

const good = {
  kind: 'signed',
  by: releaseWorkflow('1.14.0'),
  trust: { kind: 'given' }
}

describe('a chart that the release workflow signed', () => {
  it('is proved by the signature at the tag of cosign, with its log entry and time', async () => {
    const signature = await signed()
    registry.tag(signature)
    const proof = await read()
    const { logIndex, integratedTime } = entryOf(signature)
    expect(proof).toEqual({
      ...good,
      logIndex: String(logIndex),
      at: new Date(Number(integratedTime) * 1000)
    })
    expect(registry.asked.some((path) => path.startsWith('referrers/'))).toBe(false)
  })

  it.each(['api', 'tag'] as const)('is proved by a bundle that refers to it, listed by %s', async (where) => {
    registry.refer(where, (await signed()).bundle)
    expect(await read()).toMatchObject(good)
  })

  it('is proved by one good signature among others', async () => {
    registry.tag(await signed({ identity: other }), await signed())
    expect(await read()).toMatchObject(good)
  })

  it('is proved by a bundle where the tag has a signature of another', async () => {
    registry.tag(await signed({ identity: other }))
    registry.refer('api', (await signed()).bundle)
    expect(await read()).toMatchObject(good)
  })

  it('is proved by who signs on a mirror, where an input names them', async () => {
    const identity = 'https://github.com/acme/mirror/.github/workflows/charts.yml@refs/heads/main'
    registry.tag(await signed({ identity, version: 'copied' }))
    expect(await read({ signer: { identity, issuer: undefined } })).toMatchObject({ kind: 'signed' })
    expect(await read()).toMatchObject({ kind: 'wrong' })
  })
})

describe('a chart with a wrong signature', () => {
  const wrongs: Readonly<Record<string, readonly [() => Promise<ChartSignature>, string]>> = {
    'by another workflow': [
      async () => signed({ identity: other }),
      'it was signed by aws/karpenter-provider-aws/.github/workflows/ci.yaml@refs/heads/main, not by aws/karpenter-provider-aws/.github/workflows/release.yaml@refs/tags/v1.14.0'
    ],
    'of another version': [
      async () => signed({ identity: releaseIdentity('1.13.0') }),
      'release.yaml@refs/tags/v1.13.0, not by'
    ],
    'by a name that only begins like the right one': [
      async () => signed({ identity: `${releaseIdentity('1.14.0')}-rc.0` }),
      'v1.14.0-rc.0, not by'
    ],
    'vouched for by somebody else': [
      async () => signed({ issuer: 'https://issuer.example' }),
      '(https://issuer.example), not by'
    ],
    'with another annotation': [async () => signed({ version: '1.13.0' }), 'version is 1.13.0, not 1.14.0'],
    'of another chart': [
      async () => signed({ digest: `sha256:${'0'.repeat(64)}` }),
      `the signature of another artifact, sha256:${'0'.repeat(64)}`
    ],
    'under another trust root': [
      async () => signed({}, await startSigner()),
      'its proof fails: Failed to verify certificate chain'
    ]
  }
  it.each(Object.keys(wrongs))('%s is refused, in both forms', async (name) => {
    const [make, reason] = wrongs[name] ?? []
    const signature = await make?.()
    if (signature === undefined) throw new Error(name)
    const refused = { kind: 'wrong', reason: containing(reason ?? ''), trust: { kind: 'given' } }
    registry.tag(signature)
    expect(await read()).toEqual(refused)
    registry.answers.delete(`manifests/${registry.digest.replace(':', '-')}.sig`)
    registry.refer('api', signature.bundle)
    expect(await read()).toEqual(refused)
  })

  const broken: Readonly<Record<string, readonly [(of: ChartSignature) => Partial<ChartSignature>, string]>> =
    {
      'whose payload was changed': [
        ({ payload }) => ({ payload: Buffer.concat([payload, Buffer.from(' ')]) }),
        'its proof fails: '
      ],
      'without its log entry': [without(bundleAnnotation), 'no entry of a transparency log'],
      'without a certificate': [without('dev.sigstore.cosign/certificate'), 'it was made with a key'],
      'whose log entry says another time': [
        logged((payload) => ({ ...payload, integratedTime: 1_600_000_000 })),
        ''
      ],
      'whose log entry is of something else': [
        logged((payload) => ({
          ...payload,
          body: Buffer.from('{"kind":"hashedrekord","apiVersion":"0.0.1"}').toString('base64')
        })),
        'its proof fails: inclusion promise could not be verified'
      ],
      'that is no JSON': [() => ({ payload: Buffer.from('{') }), 'JSON']
    }
  it.each(Object.keys(broken))('%s is refused', async (name) => {
    const [change, reason] = broken[name] ?? []
    const signature = await signed()
    registry.tag({ ...signature, ...change?.(signature) })
    expect(await read()).toMatchObject({ kind: 'wrong', reason: containing(reason ?? '') })
  })

  it('stays wrong where what refers to it cannot be read', async () => {
    registry.tag(await signed({ identity: other }))
    registry.answers.set(`referrers/${registry.digest}`, 503)
    registry.answers.set(`manifests/${registry.digest.replace(':', '-')}`, 503)
    expect(await read()).toMatchObject({ kind: 'wrong' })
  })

  it('is one whose archive is not what the manifest names, whoever signed that', async () => {
    registry.tag(await signed())
    writeFileSync(registry.pulled.chart.path, 'another archive')
    expect(await read()).toMatchObject({ kind: 'wrong', reason: containing('the archive that was pulled') })
  })

  it('is the chart karpenter-crd in place of karpenter', async () => {
    registry.tag(await signed())
    const { chart, ...pulled } = registry.pulled
    expect(await read({}, { ...pulled, chart: { ...chart, name: 'karpenter-crd' } })).toMatchObject({
      kind: 'wrong',
      reason: 'it is the signature of the chart karpenter-crd'
    })
  })
})

describe('a chart without a signature', () => {
  it('is said to have none, by either form', async () => {
    expect(await read()).toEqual({ kind: 'missing' })
    expect(registry.asked).toEqual([
      `manifests/${registry.digest}`,
      `manifests/${registry.digest.replace(':', '-')}.sig`,
      `referrers/${registry.digest}`,
      `manifests/${registry.digest.replace(':', '-')}`
    ])
  })

  it('has none by an attestation of something else', async () => {
    const { bundle } = await signed()
    const attestation: unknown = JSON.parse(bundle.toString())
    const payload = Buffer.from('{"predicateType":"https://slsa.dev/provenance/v1"}').toString('base64')
    const dsseEnvelope = { ...mapAt(attestation, 'dsseEnvelope'), payload }
    registry.refer(
      'api',
      Buffer.from(JSON.stringify({ ...mapAt({ attestation }, 'attestation'), dsseEnvelope }))
    )
    expect(await read()).toEqual({ kind: 'missing' })
  })

  it('is not asked for on a mirror when it is off', async () => {
    expect(await read({ wanted: 'off' })).toEqual({ kind: 'not-asked' })
    expect(registry.asked).toEqual([])
  })

  it('has no place for one where it comes from a path', async () => {
    expect(await read({}, { ...registry.pulled, reference: 'charts/karpenter' })).toEqual({ kind: 'local' })
  })
})

describe('a registry that does not answer well', () => {
  it('leaves the signature unread, and says why', async () => {
    registry.answers.set(`manifests/${registry.digest}`, 403)
    expect(await read()).toEqual({ kind: 'unreadable', reason: 'HTTP 403' })
  })

  it('is asked again for what may pass', async () => {
    registry.answers.set(`manifests/${registry.digest.replace(':', '-')}.sig`, 503)
    expect(await read()).toEqual({ kind: 'unreadable', reason: 'HTTP 503' })
    expect(registry.asked.filter((path) => path.endsWith('.sig'))).toHaveLength(3)
  })

  it('cannot pass something else off as what a digest names', async () => {
    registry.answers.set(`manifests/${registry.digest}`, readFileSync('package.json'))
    expect(await read()).toMatchObject({ kind: 'unreadable', reason: containing('what it gives as sha256:') })
  })

  it('is not waited for when the run is to end', async () => {
    const aborting = new AbortController()
    const reading = read({}, registry.pulled, aborting.signal)
    aborting.abort(new Error('cancelled'))
    await expect(reading).rejects.toThrow('cancelled')
  })

  it('does not matter where helm did not say what it pulled', async () => {
    const { chart, ...pulled } = registry.pulled
    expect(await read({}, { ...pulled, chart: { ...chart, digest: undefined } })).toMatchObject({
      kind: 'unreadable'
    })
  })
})

function without(name: string): (of: ChartSignature) => Partial<ChartSignature> {
  return ({ annotations }) => ({
    annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== name))
  })
}

function logged(change: (entry: JsonMap) => JsonMap): (of: ChartSignature) => Partial<ChartSignature> {
  return (signature) => ({
    annotations: {
      ...signature.annotations,
      [bundleAnnotation]: JSON.stringify({ ...bundleIn(signature), Payload: change(entryOf(signature)) })
    }
  })
}

function entryOf(signature: ChartSignature): JsonMap {
  return mapAt(bundleIn(signature), 'Payload')
}

function bundleIn({ annotations }: ChartSignature): JsonMap {
  return mapAt({ bundle: JSON.parse(annotations[bundleAnnotation] ?? '') as unknown }, 'bundle')
}
