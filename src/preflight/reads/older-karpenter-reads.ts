import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { customResourceDefinitions, services, untyped } from '../../kubernetes/kinds.js'
import { listField, type Manifest, textField } from '../../kubernetes/manifest.js'
import { olderWebhook, type WebhookFacts } from '../older-webhooks.js'

/** Those of the named CRDs that are there. */
export async function olderCrds(
  kubernetes: Kubernetes,
  names: readonly string[]
): Promise<readonly CustomResourceDefinition[]> {
  const found = await Promise.all(names.map(async (name) => kubernetes.get(customResourceDefinitions, name)))
  return found.filter((crd) => crd !== undefined)
}

/** Names of all objects of a CRD's kind. */
export function objectNames(
  kubernetes: Kubernetes
): (crd: CustomResourceDefinition) => Promise<readonly string[]> {
  return async ({ spec }) => {
    const version = spec.versions.find(({ served }) => served)?.name
    if (version === undefined) return []
    const kind = untyped(
      `${spec.group}/${version}`,
      spec.names.kind,
      spec.names.plural,
      spec.scope === 'Namespaced'
    )
    return (await kubernetes.pick(kind, ({ metadata }) => metadata.name)).items
  }
}

const kinds = [
  ['ValidatingWebhookConfiguration', 'validatingwebhookconfigurations'],
  ['MutatingWebhookConfiguration', 'mutatingwebhookconfigurations']
] as const

/** Webhooks that Karpenter up to 1.0 left, and whether what they call is there. */
export async function olderWebhooks(kubernetes: Kubernetes): Promise<readonly WebhookFacts[]> {
  const found = await Promise.all(
    kinds.map(async ([kind, plural]) => {
      const of = untyped('admissionregistration.k8s.io/v1', kind, plural, false)
      const { items } = await kubernetes.pick(of, (one) =>
        olderWebhook.test(one.metadata.name) ? one : undefined
      )
      return Promise.all(
        items
          .filter((one) => one !== undefined)
          .map(async (configuration) => factsOf(kubernetes, kind, configuration))
      )
    })
  )
  return found.flat()
}

async function factsOf(
  kubernetes: Kubernetes,
  kind: WebhookFacts['kind'],
  configuration: Manifest
): Promise<WebhookFacts> {
  const [webhook] = listField(configuration, 'webhooks')
  const service = textField(webhook, 'clientConfig', 'service', 'name')
  const namespace = textField(webhook, 'clientConfig', 'service', 'namespace') ?? ''
  const there = service === undefined ? undefined : await kubernetes.get(services, service, namespace)
  return {
    kind,
    name: configuration.metadata.name,
    service: service === undefined ? undefined : `${namespace}/${service}`,
    serviceThere: service === undefined || there !== undefined,
    failurePolicy: textField(webhook, 'failurePolicy') === 'Ignore' ? 'Ignore' : 'Fail'
  }
}
