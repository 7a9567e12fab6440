import type { Pod } from 'kubernetes-types/core/v1.js'
import type { ControllerIdentityStrategy } from '../../aws/choices.js'
import { listField, textField } from '../../kubernetes/manifest.js'

/** What the controller's pods are to get their AWS credentials by. */
export interface WantedIdentity {
  readonly strategy: ControllerIdentityStrategy
  readonly roleArn: string
}

/**
 * Variables that EKS's webhook puts into a pod at its admission, and never again (amazon-eks-pod-identity-webhook). Go's SDK
 * takes a web identity before a container's credentials (aws-sdk-go-v2, config/resolve_credentials.go).
 */
const uri = 'AWS_CONTAINER_CREDENTIALS_FULL_URI'
const roleArn = 'AWS_ROLE_ARN'
const tokenFile = 'AWS_WEB_IDENTITY_TOKEN_FILE'

/** Names with which a container is given credentials by whoever wrote its values, so that EKS's are not used. */
const own = new Set([
  uri,
  roleArn,
  tokenFile,
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'
])

/** Whether the chart's values give the controller credentials of their own: nothing can be said of its pods then. */
export function ownCredentials(values: Readonly<Record<string, unknown>>): boolean {
  const names = listField(values, 'controller', 'env').map((one) => textField(one, 'name') ?? '')
  return names.some((name) => own.has(name)) || listField(values, 'controller', 'envFrom').length > 0
}

/** The strategy by which a pod gets credentials; undefined where it gets none. */
export function strategyOf(pod: Pod): ControllerIdentityStrategy | undefined {
  const env = environmentOf(pod)
  if (env.has(tokenFile)) return 'irsa'
  return env.has(uri) ? 'pod-identity' : undefined
}

/** What a pod has instead of the wanted identity, for a sentence; undefined where it has that. */
export function otherIdentity(pod: Pod, wanted: WantedIdentity): string | undefined {
  const strategy = strategyOf(pod)
  if (strategy === undefined) return 'no AWS credentials'
  if (strategy !== wanted.strategy) return `the credentials of ${identityName(strategy)}`
  const role = environmentOf(pod).get(roleArn)
  return strategy === 'irsa' && role !== wanted.roleArn ? `the role ${role ?? ''}` : undefined
}

export function identityName(strategy: ControllerIdentityStrategy): string {
  return strategy === 'irsa' ? 'IRSA' : 'Pod Identity'
}

function environmentOf(pod: Pod): ReadonlyMap<string, string> {
  const variables = (pod.spec?.containers ?? []).flatMap(({ env = [] }) => env)
  return new Map(variables.map(({ name, value = '' }) => [name, value]))
}
