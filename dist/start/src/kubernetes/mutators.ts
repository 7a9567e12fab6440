import { isMap } from '../engine/json.js'
import type { Kubernetes } from './client.js'
import { KubernetesError } from './errors.js'
import { type Kind, namespaces, untyped } from './kinds.js'
import { field, listField, type Manifest } from './manifest.js'
import { selects } from './selectors.js'

const group = 'admissionregistration.k8s.io'
const webhookConfigurations = untyped(
  `${group}/v1`,
  'MutatingWebhookConfiguration',
  'mutatingwebhookconfigurations',
  false
)
/** Served where the cluster has the feature: v1 since 1.36, v1beta1 in 1.34 and 1.35. */
const policyVersions = [`${group}/v1`, `${group}/v1beta1`]

/** Which objects something in the cluster may change as they are written. */
export interface Mutator {
  /** `MutatingWebhookConfiguration kyverno-resource-mutating-webhook-cfg` */
  readonly name: string
  readonly rules: readonly unknown[]
  readonly namespaceSelector: unknown
  readonly objectSelector: unknown
}

/** An object that is written, as the rules see it. */
export interface Written {
  readonly kind: Pick<Kind<unknown>, 'apiVersion' | 'resource'>
  readonly name: string
  /** Undefined for one that is in none. */
  readonly namespace: string | undefined
  readonly labels: Readonly<Record<string, unknown>>
}

/** Every mutating webhook and policy of the cluster; undefined when they may not be listed. */
export async function mutatorsOf(kubernetes: Kubernetes): Promise<readonly Mutator[] | undefined> {
  try {
    const [webhooks, policies] = await Promise.all([
      kubernetes.list(webhookConfigurations),
      policiesOf(kubernetes)
    ])
    return [
      ...webhooks.items.flatMap((one) =>
        listField(one, 'webhooks').map((webhook) => ({
          name: `${webhookConfigurations.kind} ${one.metadata.name}`,
          rules: listField(webhook, 'rules'),
          namespaceSelector: field(webhook, 'namespaceSelector'),
          objectSelector: field(webhook, 'objectSelector')
        }))
      ),
      ...policies.map((one) => ({
        name: `MutatingAdmissionPolicy ${one.metadata.name}`,
        rules: listField(one, 'spec', 'matchConstraints', 'resourceRules'),
        namespaceSelector: field(one, 'spec', 'matchConstraints', 'namespaceSelector'),
        objectSelector: field(one, 'spec', 'matchConstraints', 'objectSelector')
      }))
    ]
  } catch (error) {
    if (error instanceof KubernetesError && error.permission !== undefined) return undefined
    throw error
  }
}

async function policiesOf(kubernetes: Kubernetes): Promise<readonly Manifest[]> {
  for (const version of policyVersions) {
    const kind = await kubernetes.kindOf(version, 'MutatingAdmissionPolicy')
    if (kind !== undefined) return (await kubernetes.list(kind)).items
  }
  return []
}

/** Whether its rules name the kind at all; selectors are left out. */
export function mayMutate({ rules }: Mutator, { apiVersion, resource }: Written['kind']): boolean {
  const [version = '', group = ''] = apiVersion.split('/').toReversed()
  const names = (rule: unknown, key: string): readonly unknown[] => listField(rule, key)
  return rules.some(
    (rule) =>
      names(rule, 'apiGroups').some((one) => one === '*' || one === group) &&
      names(rule, 'apiVersions').some((one) => one === '*' || one === version) &&
      names(rule, 'operations').some((one) => one === '*' || one === 'CREATE' || one === 'UPDATE') &&
      names(rule, 'resources').some((one) => one === '*' || one === '*/*' || one === resource)
  )
}

/** Names of those whose rules and selectors match the object. What a policy's own conditions say is not known. */
export async function mutatorsFor(
  kubernetes: Kubernetes,
  mutators: readonly Mutator[],
  written: Written
): Promise<readonly string[]> {
  const candidates = mutators.filter(
    (one) => mayMutate(one, written.kind) && selects(one.objectSelector, written.labels)
  )
  if (candidates.length === 0) return []
  // A namespace is matched by its own labels.
  const around =
    written.namespace === undefined
      ? undefined
      : {
          'kubernetes.io/metadata.name': written.namespace,
          ...(await labelsOf(kubernetes, written.namespace))
        }
  const own = written.kind.resource === 'namespaces' ? written.labels : around
  const found = candidates.filter(
    ({ namespaceSelector }) => own === undefined || selects(namespaceSelector, own)
  )
  return [...new Set(found.map(({ name }) => name))]
}

async function labelsOf(kubernetes: Kubernetes, name: string): Promise<Readonly<Record<string, unknown>>> {
  const labels = field(await kubernetes.get(namespaces, name), 'metadata', 'labels')
  return isMap(labels) ? labels : {}
}
