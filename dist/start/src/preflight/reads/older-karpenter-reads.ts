import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import { compatibilityAnnotation } from '../../karpenter/cautions.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { nodePools, services, untyped } from '../../kubernetes/kinds.js'
import { listField, type Manifest, textField } from '../../kubernetes/manifest.js'

/** What a NodePool still has of v1beta1, in which 1.0 kept it. */
export interface NodePoolRemains {
  readonly name: string
  /** Kubelet settings that 1.0 kept in an annotation. */
  readonly annotated: boolean
  /** Its nodeClassRef says neither group nor kind, or only one of them. */
  readonly incompleteRef: boolean
}

export async function nodePoolRemains(kubernetes: Kubernetes): Promise<readonly NodePoolRemains[]> {
  const { items } = await kubernetes.pick(nodePools, (pool) => {
    const refers = (name: string): boolean =>
      (textField(pool, 'spec', 'template', 'spec', 'nodeClassRef', name) ?? '') !== ''
    return {
      name: pool.metadata.name,
      annotated: compatibilityAnnotation in (pool.metadata.annotations ?? {}),
      incompleteRef: !refers('group') || !refers('kind')
    }
  })
  return items
}

/** Names of all objects of a CRD's kind. */
export async function objectNames(
  kubernetes: Kubernetes,
  { spec }: CustomResourceDefinition
): Promise<readonly string[]> {
  const version = spec.versions.find(({ served }) => served)?.name
  if (version === undefined) return []
  const kind = untyped(
    `${spec.group}/${version}`,
    spec.names.kind,
    spec.names.plural,
    spec.scope === 'Namespaced'
  )
  return (await kubernetes.pick(kind, ({ metadata }) => metadata.name, { metadataOnly: true })).items
}

const kinds = [
  ['ValidatingWebhookConfiguration', 'validatingwebhookconfigurations'],
  ['MutatingWebhookConfiguration', 'mutatingwebhookconfigurations']
] as const

/** A webhook configuration of Karpenter up to 1.0. */
export interface OlderWebhook {
  readonly kind: 'ValidatingWebhookConfiguration' | 'MutatingWebhookConfiguration'
  readonly name: string
  /** `karpenter/karpenter`; undefined where it calls a URL. */
  readonly service: string | undefined
  readonly serviceThere: boolean
  readonly failurePolicy: 'Fail' | 'Ignore'
}

/** As the charts up to 1.0 call them: validation.webhook.karpenter.sh, defaulting.webhook.karpenter.k8s.aws. */
const olderWebhook = /^(validation|defaulting)\.webhook\.(config\.)?karpenter\.(sh|k8s\.aws)$/

/** Webhooks that Karpenter up to 1.0 left, and whether what they call is there. */
export async function olderWebhooks(kubernetes: Kubernetes): Promise<readonly OlderWebhook[]> {
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
  kind: OlderWebhook['kind'],
  configuration: Manifest
): Promise<OlderWebhook> {
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
