import { createHash } from 'node:crypto'
import { oneLine } from '../../engine/plain-text.js'
import type { InstallRecord, ProvedChart } from '../../engine/record.js'
import { asAsked } from './published.js'
import type { PulledChart, Signature } from './read-signature.js'
import type { SignatureRequest } from './request.js'
import { signerText, wantedSigner } from './signer.js'

/** What the record keeps of a proof; undefined where there was none. */
export function provedNow(
  signature: Signature,
  request: SignatureRequest,
  pulled: PulledChart,
  of: Pick<ProvedChart, 'run' | 'time'>
): ProvedChart | undefined {
  const { digest } = pulled.chart
  if (signature.kind !== 'signed' || digest === undefined) return undefined
  return { digest, asked: askedFor(request, pulled), ...of }
}

/**
 * The proof of an earlier run, of the same digest and by the same question, as a choice for a person; undefined where there is
 * none. For a run that applies nothing alone: whoever can write the ConfigMap can write this too, and what such a run finds
 * goes by the record anyhow.
 */
export function provedBefore(
  record: Pick<InstallRecord, 'provedChart'> | undefined,
  request: SignatureRequest,
  pulled: PulledChart
): string | undefined {
  const proved = record?.provedChart
  if (proved === undefined || proved.digest !== pulled.chart.digest) return undefined
  if (proved.asked !== askedFor(request, pulled)) return undefined
  const by = oneLine(signerText(wantedSigner(asAsked(request, pulled.reference), pulled.version)))
  return `by ${by}, as ${oneLine(proved.run)} has proved of this digest on ${oneLine(proved.time.slice(0, 10))}`
}

function askedFor(request: SignatureRequest, pulled: PulledChart): string {
  const { trustRoot = '' } = asAsked(request, pulled.reference)
  const { identity, issuer } = wantedSigner(asAsked(request, pulled.reference), pulled.version)
  return createHash('sha256')
    .update(JSON.stringify([identity, issuer, trustRoot]))
    .digest('hex')
}
