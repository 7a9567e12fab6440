import type { Authority } from '../certificates.js'
import { isRecord, list, record, text } from '../values.js'
import type { ApiClient } from './api-client.js'
import { startMutatingWebhook } from './mutating-webhook.js'

export interface PodIdentityWebhookOptions {
  readonly api: ApiClient
  readonly authority: Authority
  readonly region: string
  /** Whether a Pod Identity association exists for this service account. */
  readonly hasAssociation: (namespace: string, serviceAccount: string) => boolean
}

const IRSA = 'eks.amazonaws.com'
const IRSA_MOUNT = '/var/run/secrets/eks.amazonaws.com/serviceaccount'
const POD_IDENTITY_MOUNT = '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount'

/** The agent's address on every EKS node. */
export const POD_IDENTITY_ENDPOINT = 'http://169.254.170.23/v1/credentials'

/** Serves and registers the webhook with which EKS gives pods their AWS identity at admission. */
export async function startPodIdentityWebhook(
  options: PodIdentityWebhookOptions
): Promise<{ stop(): Promise<void> }> {
  const { api, authority } = options
  return startMutatingWebhook({
    api,
    authority,
    configuration: 'pod-identity-webhook',
    name: 'iam-for-pods.amazonaws.com',
    patch: async (pod, namespace) => {
      const serviceAccount = text(record(pod['spec'])['serviceAccountName']) ?? 'default'
      const injection = await injectionFor(options, namespace, serviceAccount)
      return injection === undefined ? [] : patchFor(pod, injection)
    }
  })
}

interface Injection {
  readonly env: Readonly<Record<string, string>>
  readonly volume: string
  readonly mountPath: string
  readonly tokenPath: string
  readonly audience: string
}

/** A Pod Identity association goes before the annotation of IRSA. */
async function injectionFor(
  options: PodIdentityWebhookOptions,
  namespace: string,
  serviceAccount: string
): Promise<Injection | undefined> {
  const region = {
    AWS_STS_REGIONAL_ENDPOINTS: 'regional',
    AWS_DEFAULT_REGION: options.region,
    AWS_REGION: options.region
  }
  if (options.hasAssociation(namespace, serviceAccount)) {
    return {
      env: {
        ...region,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: POD_IDENTITY_ENDPOINT,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: `${POD_IDENTITY_MOUNT}/eks-pod-identity-token`
      },
      volume: 'eks-pod-identity-token',
      mountPath: POD_IDENTITY_MOUNT,
      tokenPath: 'eks-pod-identity-token',
      audience: 'pods.eks.amazonaws.com'
    }
  }
  const found = await options.api.request({
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}`
  })
  const annotations = record(record(found.body['metadata'])['annotations'])
  const roleArn = text(annotations[`${IRSA}/role-arn`])
  if (roleArn === undefined) {
    return undefined
  }
  return {
    env: { ...region, AWS_ROLE_ARN: roleArn, AWS_WEB_IDENTITY_TOKEN_FILE: `${IRSA_MOUNT}/token` },
    volume: 'aws-iam-token',
    mountPath: IRSA_MOUNT,
    tokenPath: 'token',
    audience: text(annotations[`${IRSA}/audience`]) ?? 'sts.amazonaws.com'
  }
}

/** Adds what is not there; variables that the pod sets itself stay as they are. */
function patchFor(pod: Readonly<Record<string, unknown>>, injection: Injection): readonly object[] {
  const spec = record(pod['spec'])
  const volumes = list(spec['volumes'])
  if (volumes.some((volume) => record(volume)['name'] === injection.volume)) {
    return []
  }
  const volume = {
    name: injection.volume,
    projected: {
      defaultMode: 420,
      sources: [
        {
          serviceAccountToken: {
            audience: injection.audience,
            expirationSeconds: 86400,
            path: injection.tokenPath
          }
        }
      ]
    }
  }
  const containers = list(spec['containers']).filter(isRecord)
  return [
    { op: 'add', path: '/spec/volumes', value: [...volumes, volume] },
    ...containers.flatMap((container, index) => {
      const env = list(container['env'])
      const names = new Set(env.map((entry) => record(entry)['name']))
      const added = Object.entries(injection.env)
        .filter(([name]) => !names.has(name))
        .map(([name, value]) => ({ name, value }))
      const mount = { name: injection.volume, mountPath: injection.mountPath, readOnly: true }
      return [
        { op: 'add', path: `/spec/containers/${index}/env`, value: [...env, ...added] },
        {
          op: 'add',
          path: `/spec/containers/${index}/volumeMounts`,
          value: [...list(container['volumeMounts']), mount]
        }
      ]
    })
  ]
}
