import { messageOf } from '../engine/errors.js'
import { isMap } from '../engine/json.js'
import type { AskedSigner, SignatureRequest } from '../helm/signature/request.js'
import type { Parser } from './parsers.js'
import { type InputProblems, quoted, shown } from './problems.js'

/** Text of a Sigstore instance's trusted_root.json (sigstore/protobuf-specs, sigstore_trustroot.proto). */
export const trustRoot: Parser<string | undefined> = (path, reading) => {
  const right = "use the path of a Sigstore instance's trusted_root.json"
  try {
    const text = reading.readFile(path)
    if (isTrustRoot(text)) return text
    reading.problem(`${quoted(path)} is no trust root`, right)
  } catch (error) {
    reading.problem(`${quoted(path)} cannot be read (${shown(messageOf(error))})`, right)
  }
  return undefined
}

function isTrustRoot(text: string): boolean {
  try {
    const root: unknown = JSON.parse(text)
    return (
      isMap(root) &&
      String(root['mediaType']).startsWith('application/vnd.dev.sigstore.trustedroot') &&
      Array.isArray(root['certificateAuthorities'])
    )
  } catch {
    return false
  }
}

/** `IDENTITY`, or `IDENTITY ISSUER`; without an issuer it is a workflow on GitHub. */
export const signer: Parser<AskedSigner | undefined> = (value, reading) => {
  const [identity = '', issuer, ...more] = value.split(/\s+/)
  const known =
    issuer === undefined
      ? /^https:\/\/github\.com\/[^/]+\/[^/]+\/.+@refs\//.test(identity)
      : /^https:\/\//.test(issuer)
  if (more.length === 0 && known) return { identity, issuer }
  reading.problem(
    `${quoted(value)} is no signer`,
    'use https://github.com/OWNER/REPOSITORY/.github/workflows/FILE@REF, or an identity and its issuer (https://...)'
  )
  return undefined
}

/** What AWS publishes is signed by its own workflow under the public instance, and by nobody else. */
export function chartSignatureOf(
  request: SignatureRequest,
  published: boolean,
  problems: InputProblems
): SignatureRequest {
  const ofMirrors = { 'chart-trust-root': request.trustRoot, 'chart-signer': request.signer }
  for (const [name, given] of Object.entries(ofMirrors))
    if (published && given !== undefined)
      problems.add(
        name,
        'it is for charts on a mirror, and this chart is the one that AWS publishes',
        'leave it out, or give the mirror as chart'
      )
  return request
}
