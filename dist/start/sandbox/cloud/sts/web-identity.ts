import { decodeJwt, type JWTPayload } from 'jose'
import { trusts } from '../authorisation.js'
import type { OidcProvider } from '../iam/state.js'
import { text } from '../input.js'
import { AwsError, type AwsCall } from '../service.js'
import type { StsParts } from './parts.js'
import { credentialsOutput, duration, openSession, sessionName } from './sessions.js'

/** AssumeRoleWithWebIdentity, in the order in which STS finds fault: token, provider, keys, time, audience, trust. */
export async function assumeRoleWithWebIdentity(
  parts: StsParts,
  { input }: AwsCall
): Promise<Readonly<Record<string, unknown>>> {
  const { iam, credentials } = parts
  const arn = text(input, 'RoleArn')
  const name = sessionName(input)
  const { provider, claims, audience } = await checkedToken(parts, text(input, 'WebIdentityToken'))
  const role = iam.roleByArn(arn)
  const context = {
    [`${provider.url}:sub`]: claims.sub ?? '',
    [`${provider.url}:aud`]: audience,
    'sts:RoleSessionName': name
  }
  const action = 'sts:AssumeRoleWithWebIdentity'
  if (role === undefined || trusts(role, provider.arn, action, context, iam.home.accountId) !== 'Allowed') {
    throw new AwsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 403)
  }
  const given = duration(input, role.maxSessionDuration, false)
  const ofPod = provider.url.startsWith('oidc.eks.')
  const seconds = ofPod ? Math.min(given, parts.podSessionSeconds ?? given) : given
  const session = openSession(credentials, iam.home, role, { name, expiresAt: iam.now() + seconds * 1000 })
  return {
    Credentials: credentialsOutput(session),
    SubjectFromWebIdentityToken: claims.sub,
    AssumedRoleUser: { AssumedRoleId: session.caller.userId, Arn: session.caller.arn },
    Provider: provider.arn,
    Audience: audience
  }
}

async function checkedToken(
  { iam, issuers }: StsParts,
  token: string
): Promise<{ readonly provider: OidcProvider; readonly claims: JWTPayload; readonly audience: string }> {
  const issuer = issuerOf(token)
  const provider = iam.oidcProviders.values().find(({ url }) => `https://${url}` === issuer)
  if (provider === undefined) {
    throw invalid(`No OpenIDConnect provider found in your account for ${issuer}`)
  }
  const verified = await issuers.verify(token, issuer)
  if (verified.kind === 'no-keys') {
    throw invalid(
      "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements"
    )
  }
  if (verified.kind === 'expired') {
    const now = Math.floor(iam.now() / 1000)
    throw new AwsError(
      'ExpiredTokenException',
      `Token expired: current date/time ${now} must be before the expiration date/time ${verified.expiredAt}`
    )
  }
  if (verified.kind === 'invalid') throw invalid(`Provided Token cannot be verified: ${verified.reason}`)
  const { claims } = verified
  const audience = [claims.aud ?? []].flat().find((item) => provider.clientIds.includes(item))
  if (audience === undefined) throw invalid('Incorrect token audience')
  return { provider, claims, audience }
}

function issuerOf(token: string): string {
  try {
    const { iss } = decodeJwt(token)
    if (iss !== undefined) return iss
  } catch {
    // Told below in STS's words.
  }
  throw invalid(
    'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)'
  )
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidIdentityToken', message)
}
