import { provedBefore, provedNow } from '../../../src/helm/signature/proved-before.js'
import type { PulledChart, Signature } from '../../../src/helm/signature/read-signature.js'
import type { SignatureRequest } from '../../../src/helm/signature/request.js'
import { releaseWorkflow } from '../../../src/helm/signature/signer.js'

const run = { run: 'https://github.com/org/repo/actions/runs/1', time: '2026-11-30T00:00:00.000Z' }
const request: SignatureRequest = { wanted: 'warn', trustRoot: undefined, signer: undefined }
const signed: Signature = {
  kind: 'signed',
  by: releaseWorkflow('1.14.1'),
  logIndex: '1',
  at: undefined,
  trust: { kind: 'renewed' }
}
const from = (reference: string, digest: string | undefined = 'sha256:aa'): PulledChart => ({
  reference,
  version: '1.14.1',
  chart: { path: 'x.tgz', name: 'karpenter', digest }
})
const mirror = from('oci://mirror.example/karpenter/karpenter')
const published = from('oci://public.ecr.aws/karpenter/karpenter')

/** Whether a proof by the first question is one for the second. */
function answers(asked: SignatureRequest, later: SignatureRequest, of = mirror): boolean {
  const provedChart = provedNow(signed, asked, of, run)
  return provedBefore(provedChart && { provedChart }, later, of) !== undefined
}

test('a proof is of one digest, one signer and one trust root', () => {
  const own = { ...request, trustRoot: '{}' }
  const ours = { ...request, signer: { identity: 'us@example.com', issuer: 'https://idp.example' } }
  expect([answers(request, request), answers(own, own), answers(ours, ours)]).toEqual([true, true, true])
  expect([answers(own, request), answers(request, own), answers(request, ours)]).toEqual([
    false,
    false,
    false
  ])
  const provedChart = provedNow(signed, request, mirror, run)
  expect(
    provedBefore(provedChart && { provedChart }, request, from(mirror.reference, 'sha256:bb'))
  ).toBeUndefined()
})

test('of what AWS publishes nobody else is asked for, whatever the inputs say', () => {
  expect(answers({ ...request, trustRoot: '{}' }, request, published)).toBe(true)
})

test('only a proof is kept, and only of a digest that is known', () => {
  expect(provedNow({ kind: 'missing' }, request, mirror, run)).toBeUndefined()
  const { chart, ...rest } = mirror
  const unknown = { ...rest, chart: { ...chart, digest: undefined } }
  expect(provedNow(signed, request, unknown, run)).toBeUndefined()
})
