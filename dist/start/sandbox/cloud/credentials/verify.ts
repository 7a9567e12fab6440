import { AwsError, type Protocol } from '../service.js'
import { amzDate, type Signature, signatureFits, signedAt, type SignedRequest } from '../wire/signature.js'
import type { CredentialStore, Session } from './store.js'

const minute = 60_000
/** How far the signing clock may be from AWS's. */
const skew = 5 * minute
/** STS takes a presigned call this long, whatever X-Amz-Expires says; EKS tokens live by it (aws-iam-authenticator). */
const presignedSts = 15 * minute

/** The session whose keys signed the request; each way in which they did not is refused as the protocol words it. */
export function verify(
  store: CredentialStore,
  request: SignedRequest,
  signature: Signature,
  protocol: Protocol,
  now: number
): Session {
  const session = store.find(signature.accessKeyId)
  if (session === undefined || signature.sessionToken !== session.credentials.sessionToken) {
    throw refused(protocol, 'unknown')
  }
  checkTime(signature, protocol, now)
  if (!signatureFits(request, signature, session.credentials.secretAccessKey))
    throw refused(protocol, 'signature')
  if (session.caller.expiresAt <= now) throw refused(protocol, 'expired')
  return session
}

function checkTime(signature: Signature, protocol: Protocol, now: number): void {
  const at = signedAt(signature)
  if (at > now + skew) {
    const limit = `${amzDate(now + skew)} (${amzDate(now)} + 5 min.)`
    throw badSignature(
      protocol,
      `Signature not yet current: ${signature.amzDate} is still later than ${limit}`
    )
  }
  const good = lifetime(signature)
  if (at + good < now) {
    if (protocol === 'ec2') throw new AwsError('RequestExpired', 'Request has expired.', 400)
    const limit = `${amzDate(now - good)} (${amzDate(now)} - ${Math.round(good / minute)} min.)`
    throw badSignature(protocol, `Signature expired: ${signature.amzDate} is now earlier than ${limit}`)
  }
}

function lifetime(signature: Signature): number {
  if (signature.expires === undefined) return skew
  return signature.service === 'sts' ? presignedSts : signature.expires * 1000
}

function badSignature(protocol: Protocol, message: string): AwsError {
  switch (protocol) {
    case 'query':
      return new AwsError('SignatureDoesNotMatch', message, 403)
    case 'ec2':
      return new AwsError('AuthFailure', message, 401)
    case 'json':
      return new AwsError('InvalidSignatureException', message, 400)
    case 'rest-json':
      return new AwsError('InvalidSignatureException', message, 403)
  }
}

const mismatch =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.'
const couldNotValidate = 'AWS was not able to validate the provided access credentials'

export function refused(
  protocol: Protocol,
  why: 'unknown' | 'signature' | 'expired' | 'missing' | 'malformed'
): AwsError {
  switch (why) {
    case 'signature':
      return badSignature(protocol, protocol === 'ec2' ? couldNotValidate : mismatch)
    case 'unknown':
      if (protocol === 'ec2') return new AwsError('AuthFailure', couldNotValidate, 401)
      return protocol === 'query'
        ? new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid.', 403)
        : new AwsError(
            'UnrecognizedClientException',
            'The security token included in the request is invalid.',
            403
          )
    case 'expired':
      if (protocol === 'ec2') return new AwsError('RequestExpired', 'Request has expired.', 400)
      return protocol === 'query'
        ? new AwsError('ExpiredToken', 'The security token included in the request is expired', 403)
        : new AwsError('ExpiredTokenException', 'The security token included in the request is expired', 403)
    case 'missing':
      return protocol === 'query' || protocol === 'ec2'
        ? new AwsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403)
        : new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token', 403)
    case 'malformed':
      return protocol === 'query' || protocol === 'ec2'
        ? new AwsError('IncompleteSignature', 'The request signature does not conform to AWS standards.', 403)
        : new AwsError(
            'IncompleteSignatureException',
            'The request signature does not conform to AWS standards.',
            403
          )
  }
}
