import { UserError } from '../../../src/engine/errors.js'
import { judged } from '../../../src/helm/signature/judged.js'
import { isPublished } from '../../../src/helm/signature/published.js'
import type { Signature } from '../../../src/helm/signature/read-signature.js'
import type { SignatureRequest } from '../../../src/helm/signature/request.js'
import { releaseWorkflow } from '../../../src/helm/signature/signer.js'
import { containing } from '../../kubernetes/containing.js'

const digest = `sha256:${'a'.repeat(64)}`
const published = 'oci://public.ecr.aws/karpenter/karpenter'
const mirror = 'oci://registry.example/karpenter/karpenter'
const carried = { kind: 'carried', reason: 'no way out' } as const
const wrong: Signature = { kind: 'wrong', reason: 'it was signed by another', trust: { kind: 'renewed' } }
const missing: Signature = { kind: 'missing' }
const unreadable: Signature = { kind: 'unreadable', reason: 'HTTP 503' }
const signed: Signature = {
  kind: 'signed',
  by: releaseWorkflow('1.14.0'),
  logIndex: '1234',
  at: new Date('2026-08-21T16:33:55Z'),
  trust: { kind: 'renewed' }
}

function judge(signature: Signature, wanted: SignatureRequest['wanted'], reference = published) {
  return judged(
    signature,
    { wanted, trustRoot: undefined, signer: undefined },
    { reference, version: '1.14.0', chart: { path: '', name: 'karpenter', digest } }
  )
}

function refused(...of: Parameters<typeof judge>): string {
  try {
    judge(...of)
  } catch (error) {
    if (error instanceof UserError) return [error.message, error.state, error.fix].join('\n')
  }
  throw new Error('it was not refused')
}

describe('a chart that is signed', () => {
  const by = 'by aws/karpenter-provider-aws/.github/workflows/release.yaml@refs/tags/v1.14.0'
  it.each([
    [signed, `${by} on 2026-08-21, log entry 1234 (by Sigstore's public trust root)`],
    [
      { ...signed, trust: carried },
      `${by} on 2026-08-21, log entry 1234 (by Sigstore's public trust root as this release carries it)`
    ],
    [
      {
        ...signed,
        at: undefined,
        by: { identity: 'sre@example.com', issuer: 'https://accounts.example.com' },
        trust: { kind: 'given' } as const
      },
      'by sre@example.com (https://accounts.example.com), log entry 1234 (by chart-trust-root)'
    ]
  ])('has by whom and when in its choice, and no warning', (signature, choice) => {
    expect(judge(signature, 'require')).toEqual({ choice, warning: undefined })
  })
})

describe('a wrong signature', () => {
  it.each(['warn', 'require', 'off'] as const)('of what AWS publishes is an error, on %s too', (wanted) => {
    const text = refused(wrong, wanted)
    expect(text).toContain(
      `chart: ${published} 1.14.0 (${digest}): it carries a wrong signature: it was signed by another\nNothing was changed.\nDo not use this chart.`
    )
    expect(text).toContain('given as a path')
    expect(text).not.toContain('tuf-repo-cdn')
  })

  it('says how the trust root is renewed where it was not', () => {
    expect(refused({ ...wrong, trust: carried }, 'warn')).toContain(
      "Sigstore's trust root could not be renewed (no way out): let the runner reach tuf-repo-cdn.sigstore.dev"
    )
  })

  it('of a mirror is as asked', () => {
    expect(judge(wrong, 'warn', mirror)).toEqual({
      choice: 'not proved: it carries a wrong signature: it was signed by another',
      warning: containing('chart-trust-root and chart-signer')
    })
    expect(refused(wrong, 'require', mirror)).toContain('Copy the chart to the mirror anew')
  })

  it('cannot write into the log', () => {
    const hostile: Signature = { ...wrong, reason: 'x\n::error::y' }
    expect(judge(hostile, 'warn', mirror).choice).not.toContain('\n')
  })
})

describe.each([
  ['missing', missing, 'it carries no signature'],
  ['unreadable', unreadable, 'its signature could not be read: HTTP 503']
] as const)('a signature that is %s', (_kind, signature, reason) => {
  it.each([published, mirror])('warns, is refused, or is only said of %s, as asked', (reference) => {
    const choice = `not proved: ${reason}`
    expect(judge(signature, 'warn', reference)).toEqual({
      choice,
      warning: containing(`chart: ${reference} 1.14.0 (${digest}): ${reason}. `)
    })
    expect(judge(signature, 'off', reference)).toEqual({ choice, warning: undefined })
    expect(refused(signature, 'require', reference)).toContain('Nothing was changed.')
  })
})

test('a chart from a path is only said to have none, and refused where one is required', () => {
  expect(judge({ kind: 'local' }, 'warn', 'charts/karpenter')).toEqual({
    choice: 'not proved: a chart from a path carries none',
    warning: undefined
  })
  expect(refused({ kind: 'local' }, 'require', 'charts/karpenter')).toContain('oci://')
})

test('a mirror that is not asked says so', () => {
  expect(judge({ kind: 'not-asked' }, 'off', mirror)).toEqual({
    choice: 'not asked for (chart-signature: off)',
    warning: undefined
  })
})

test.each([
  [published, true],
  ['oci://PUBLIC.ECR.AWS/karpenter/karpenter-crd/', true],
  ['oci://public.ecr.aws:443/karpenter/karpenter', true],
  ['oci://public.ecr.aws/acme/karpenter', false],
  ['oci://public.ecr.aws.example/karpenter/karpenter', false],
  [mirror, false],
  ['public.ecr.aws/karpenter/karpenter', false],
  ['oci://', false]
])('%s is published by AWS: %s', (reference, expected) => {
  expect(isPublished(reference)).toBe(expected)
})
