import { isRecord, optionalText } from '../input.js'
import type { EksState } from '../eks/state.js'
import { parseJsonObject } from '../wire/json.js'
import { type Identity, identityOf, type IdentityVerdict } from './identity.js'
import { readToken, type TokenParts } from './token.js'

export interface AuthenticatorParts extends TokenParts {
  readonly eks: EksState
  /** Private DNS name of an EC2 instance by its id; undefined when there is none. */
  readonly privateDnsName: (instanceId: string) => Promise<string | undefined>
}

/** Answers the API server's TokenReview (authentication.k8s.io/v1), body and answer as JSON text. */
export async function reviewToken(
  parts: AuthenticatorParts,
  clusterName: string,
  body: string
): Promise<string> {
  const review = parseJsonObject(body) ?? {}
  const spec = isRecord(review['spec']) ? review['spec'] : {}
  const verdict = await verdictOn(parts, clusterName, optionalText(spec, 'token') ?? '')
  return JSON.stringify({
    apiVersion: optionalText(review, 'apiVersion') ?? 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    status:
      'refused' in verdict
        ? { authenticated: false, error: verdict.refused }
        : {
            authenticated: true,
            user: {
              username: verdict.username,
              uid: verdict.uid,
              groups: verdict.groups,
              extra: verdict.extra
            }
          }
  })
}

interface User extends Identity {
  readonly uid: string
  readonly extra: Readonly<Record<string, readonly string[]>>
}

async function verdictOn(
  parts: AuthenticatorParts,
  clusterName: string,
  token: string
): Promise<User | { readonly refused: string }> {
  const cluster = parts.eks.clusters.get(clusterName)
  if (cluster === undefined) return { refused: `cluster ${clusterName} is not in this account` }
  const read = readToken(parts, token, clusterName)
  if (read.kind === 'refused') return { refused: read.reason }
  const { caller, accessKeyId } = read
  const [roleId = '', sessionName = ''] = caller.userId.split(':')
  const dnsName = /^i-[0-9a-f]+$/.test(sessionName) ? await parts.privateDnsName(sessionName) : undefined
  const identity = await identityOf(parts.eks, cluster, {
    roleArn: caller.roleArn,
    sessionName,
    accountId: caller.accountId,
    accessKeyId,
    ...(dnsName === undefined ? {} : { privateDnsName: dnsName })
  })
  if ('refused' in identity) return identity
  return {
    ...identity,
    uid: `aws-iam-authenticator:${caller.accountId}:${roleId}`,
    extra: {
      accessKeyId: [accessKeyId],
      arn: [caller.arn],
      canonicalArn: [caller.roleArn],
      principalId: [roleId],
      sessionName: [sessionName]
    }
  }
}

/**
 * Whom the cluster takes a node for, by its instance's role, by the same rules as any token. A role that is mapped, but
 * not to a node (an access entry of type STANDARD, an aws-auth line without system:nodes), cannot join either.
 */
export async function nodeIdentity(
  eks: EksState,
  clusterName: string,
  node: { readonly roleArn: string; readonly instanceId: string; readonly privateDnsName: string }
): Promise<IdentityVerdict> {
  const { roleArn, instanceId, privateDnsName } = node
  const accountId = roleArn.split(':')[4] ?? ''
  const identity = await identityOf(eks, eks.cluster(clusterName), {
    roleArn,
    sessionName: instanceId,
    accountId,
    privateDnsName
  })
  return asNode(identity, roleArn, privateDnsName)
}

/** The same for the node of a Fargate pod, whose session is named after it: an access entry of type FARGATE_LINUX. */
export async function fargateNodeIdentity(
  eks: EksState,
  clusterName: string,
  node: { readonly roleArn: string; readonly nodeName: string }
): Promise<IdentityVerdict> {
  const { roleArn, nodeName } = node
  const accountId = roleArn.split(':')[4] ?? ''
  const subject = { roleArn, sessionName: nodeName, accountId }
  return asNode(await identityOf(eks, eks.cluster(clusterName), subject), roleArn, nodeName)
}

function asNode(identity: IdentityVerdict, roleArn: string, nodeName: string): IdentityVerdict {
  if ('refused' in identity) return identity
  if (identity.username !== `system:node:${nodeName}` || !identity.groups.includes('system:nodes')) {
    const groups = identity.groups.join(', ')
    return {
      refused: `${roleArn} is ${identity.username} in groups [${groups}], which no kubelet can register a node as`
    }
  }
  return identity
}
