import { randomUUID } from 'node:crypto'
import { decodeJwt, type JWTPayload } from 'jose'
import { trusts } from '../authorisation.js'
import type { Issuers } from '../credentials/issuers.js'
import type { CredentialStore } from '../credentials/store.js'
import { asOf } from '../history.js'
import type { IamState } from '../iam/state.js'
import { isRecord, optionalText } from '../input.js'
import { AwsError, type AwsCall, type Service } from '../service.js'
import { openSession } from '../sts/sessions.js'
import { required } from './pages.js'
import { clusterQuestion } from './questions.js'
import type { Association, Cluster, EksState } from './state.js'

export interface EksAuthParts {
  readonly eks: EksState
  readonly iam: IamState
  readonly credentials: CredentialStore
  readonly issuers: Issuers
  /** Milliseconds until a new association is known here: EKS says that associations are eventually consistent. */
  readonly associationDelay: number
  /** How long a session lasts, seconds; six hours when absent (EKS user guide, Pod Identity). */
  readonly podSessionSeconds?: number | undefined
}

const audience = 'pods.eks.amazonaws.com'

/** EKS Auth: what the Pod Identity agent asks, with its node's credentials, on behalf of a pod. */
export function eksAuthService(parts: EksAuthParts): Service {
  return {
    name: 'eks-auth',
    protocol: 'rest-json',
    questions: async ({ input }) => [
      clusterQuestion(parts.eks, 'eks-auth:AssumeRoleForPodIdentity', required(input, 'clusterName'))
    ],
    answer: async (call) => assumeRoleForPodIdentity(parts, call)
  }
}

interface Pod {
  readonly namespace: string
  readonly serviceAccount: string
  readonly podName: string
  readonly podUid: string
}

async function assumeRoleForPodIdentity(
  parts: EksAuthParts,
  { input }: AwsCall
): Promise<Readonly<Record<string, unknown>>> {
  const { eks, iam } = parts
  const cluster = eks.cluster(required(input, 'clusterName'))
  const pod = await podOf(parts, cluster, required(input, 'token'))
  const association = associationOf(parts, cluster, pod)
  const tags = sessionTags(cluster, pod)
  const role = iam.roleByArn(association.roleArn)
  const context = {
    'aws:SourceAccount': iam.home.accountId,
    'aws:SourceArn': cluster.arn,
    'aws:TagKeys': Object.keys(tags),
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value]))
  }
  const actions = association.disableSessionTags ? ['sts:AssumeRole'] : ['sts:AssumeRole', 'sts:TagSession']
  const trusted =
    role !== undefined &&
    actions.every((action) => trusts(role, audience, action, context, iam.home.accountId) === 'Allowed')
  if (!trusted) {
    throw new AwsError(
      'AccessDeniedException',
      'Unauthorized Exception! EKS does not have permissions to assume the associated role.',
      400
    )
  }
  const name = `eks-${cluster.name.slice(0, 20)}-${pod.podName.slice(0, 12)}-${randomUUID().slice(0, 24)}`
  const session = openSession(parts.credentials, iam.home, role, {
    name,
    expiresAt: iam.now() + (parts.podSessionSeconds ?? 6 * 3_600) * 1000,
    tags: association.disableSessionTags ? {} : tags
  })
  return {
    subject: { namespace: pod.namespace, serviceAccount: pod.serviceAccount },
    audience,
    podIdentityAssociation: {
      associationArn: association.associationArn,
      associationId: association.associationId
    },
    assumedRoleUser: { arn: session.caller.arn, assumeRoleId: session.caller.userId },
    credentials: { ...session.credentials }
  }
}

function associationOf(parts: EksAuthParts, cluster: Cluster, pod: Pod): Association {
  const known = asOf(parts.eks.now() - parts.associationDelay, () => parts.eks.associations.values())
  const found = known.find(
    (item) =>
      item.clusterName === cluster.name &&
      item.namespace === pod.namespace &&
      item.serviceAccount === pod.serviceAccount
  )
  if (found !== undefined) return found
  throw new AwsError(
    'ResourceNotFoundException',
    `No association found for service account ${pod.namespace}/${pod.serviceAccount} in cluster ${cluster.name}`,
    404
  )
}

async function podOf({ issuers }: EksAuthParts, cluster: Cluster, token: string): Promise<Pod> {
  const verified = await issuers.verify(token, cluster.issuer)
  if (verified.kind === 'expired')
    throw new AwsError('ExpiredTokenException', 'The service account token has expired', 400)
  if (verified.kind !== 'valid') {
    throw new AwsError(
      'InvalidTokenException',
      `The service account token cannot be verified${issuerHint(token)}`,
      400
    )
  }
  if (![verified.claims.aud ?? []].flat().includes(audience)) {
    throw new AwsError('InvalidTokenException', `The service account token is not for ${audience}`, 400)
  }
  return podClaims(verified.claims)
}

function issuerHint(token: string): string {
  try {
    return `: its issuer is ${decodeJwt(token).iss ?? 'not given'}`
  } catch {
    return ': it is not a JWT'
  }
}

/** As the API server writes a bound token: kubernetes.io holds namespace, serviceaccount and pod. */
function podClaims(claims: JWTPayload): Pod {
  const bound = isRecord(claims['kubernetes.io']) ? claims['kubernetes.io'] : {}
  const account = isRecord(bound['serviceaccount']) ? bound['serviceaccount'] : {}
  const pod = isRecord(bound['pod']) ? bound['pod'] : {}
  const namespace = optionalText(bound, 'namespace')
  const serviceAccount = optionalText(account, 'name')
  const podName = optionalText(pod, 'name')
  if (namespace === undefined || serviceAccount === undefined || podName === undefined) {
    throw new AwsError('InvalidTokenException', 'The service account token is not bound to a pod', 400)
  }
  return { namespace, serviceAccount, podName, podUid: optionalText(pod, 'uid') ?? '' }
}

function sessionTags(cluster: Cluster, pod: Pod): Readonly<Record<string, string>> {
  return {
    'eks-cluster-arn': cluster.arn,
    'eks-cluster-name': cluster.name,
    'kubernetes-namespace': pod.namespace,
    'kubernetes-service-account': pod.serviceAccount,
    'kubernetes-pod-name': pod.podName,
    'kubernetes-pod-uid': pod.podUid
  }
}
