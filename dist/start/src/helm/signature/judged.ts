import { UserError } from '../../engine/errors.js'
import { oneLine } from '../../engine/plain-text.js'
import { isPublished } from './published.js'
import type { PulledChart, Signature, Trust } from './read-signature.js'
import type { SignatureRequest } from './request.js'
import { signerText } from './signer.js'

/** What a run says of a chart's signature. */
export interface Judged {
  /** For log, summary and report. */
  readonly choice: string
  readonly warning: string | undefined
}

/**
 * Whether the run goes on with the chart. Throws a UserError where it does not: for any wrong signature of a chart that AWS
 * publishes, and for whatever else is not proved where that was required.
 */
export function judged(signature: Signature, request: SignatureRequest, of: PulledChart): Judged {
  switch (signature.kind) {
    case 'signed':
      return { choice: signedText(signature), warning: undefined }
    case 'not-asked':
      return { choice: 'not asked for (chart-signature: off)', warning: undefined }
    case 'local':
      return unproved(
        { reason: 'a chart from a path carries none', fix: localFix, silent: true, fatal: false },
        request,
        of
      )
    case 'missing':
      return unproved(
        { reason: 'it carries no signature', fix: missingFix(of), silent: false, fatal: false },
        request,
        of
      )
    case 'unreadable':
      return unproved(
        {
          reason: `its signature could not be read: ${oneLine(signature.reason)}`,
          fix: 'Run again; let the runner reach the registry (HTTPS_PROXY, NO_PROXY).',
          silent: false,
          fatal: false
        },
        request,
        of
      )
    case 'wrong':
      return unproved(
        {
          reason: `it carries a wrong signature: ${oneLine(signature.reason)}`,
          fix: wrongFix(signature.trust, of),
          silent: false,
          fatal: isPublished(of.reference)
        },
        request,
        of
      )
  }
}

interface Unproved {
  /** Goes on from the chart's name. */
  readonly reason: string
  readonly fix: string
  /** Said by the choice alone where it is not required. */
  readonly silent: boolean
  /** Refused whatever is asked. */
  readonly fatal: boolean
}

function unproved(
  { reason, fix, silent, fatal }: Unproved,
  request: SignatureRequest,
  of: PulledChart
): Judged {
  const { reference, version, chart } = of
  const problem = `${reference} ${version}${chart.digest === undefined ? '' : ` (${chart.digest})`}: ${reason}`
  if (fatal || request.wanted === 'require')
    throw new UserError('chart', problem, fix, { state: 'Nothing was changed.' })
  const quiet = silent || request.wanted === 'off'
  return { choice: `not proved: ${reason}`, warning: quiet ? undefined : `chart: ${problem}. ${fix}` }
}

function signedText({ by, logIndex, at, trust }: Extract<Signature, { kind: 'signed' }>): string {
  const day = at === undefined ? '' : ` on ${at.toISOString().slice(0, 10)}`
  return `by ${oneLine(signerText(by))}${day}, log entry ${oneLine(logIndex)} (${trustText(trust)})`
}

function trustText(trust: Trust): string {
  switch (trust.kind) {
    case 'given':
      return 'by chart-trust-root'
    case 'renewed':
      return "by Sigstore's public trust root"
    case 'carried':
      return "by Sigstore's public trust root as this release carries it"
  }
}

const localFix =
  'Give chart an OCI reference (oci://...) whose registry has the signature, or chart-signature: warn.'

function missingFix({ reference }: PulledChart): string {
  return isPublished(reference)
    ? 'Every release since 1.0.0 was published with one: run again, and take another version if it stays so.'
    : 'Copy the chart to the mirror together with its signature (cosign copy), or give chart-signature: off if this mirror is trusted without.'
}

function wrongFix(trust: Trust | undefined, { reference }: PulledChart): string {
  const older =
    trust?.kind === 'carried'
      ? ` Sigstore's trust root could not be renewed (${oneLine(trust.reason)}): let the runner reach tuf-repo-cdn.sigstore.dev, or take the newest release of this action.`
      : ''
  return isPublished(reference)
    ? `Do not use this chart. Run again; if it stays so, tell AWS (https://github.com/aws/karpenter-provider-aws/security/policy). A chart that you have examined yourself can be given as a path.${older}`
    : `Copy the chart to the mirror anew, with its signature (cosign copy). Where a Sigstore instance or a workflow of your own signs it, name them in chart-trust-root and chart-signer.${older}`
}
