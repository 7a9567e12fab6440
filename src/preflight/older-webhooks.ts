import { isBefore } from '../karpenter/versions.js'
import type { Finding } from './finding.js'

/** A webhook configuration of Karpenter up to 1.0. */
export interface WebhookFacts {
  readonly kind: 'ValidatingWebhookConfiguration' | 'MutatingWebhookConfiguration'
  readonly name: string
  /** `karpenter/karpenter`; undefined where it calls a URL. */
  readonly service: string | undefined
  readonly serviceThere: boolean
  readonly failurePolicy: 'Fail' | 'Ignore'
}

/** As the charts up to 1.0 call them: validation.webhook.karpenter.sh, defaulting.webhook.karpenter.k8s.aws. */
export const olderWebhook = /^(validation|defaulting)\.webhook\.(config\.)?karpenter\.(sh|k8s\.aws)$/

/** A webhook that outlived its controller lets nothing of Karpenter's be written. */
export function webhookFindings(
  webhooks: readonly WebhookFacts[],
  karpenterVersion: string
): readonly Finding[] {
  // 1.0 has them itself.
  if (isBefore(karpenterVersion, '1.1.0')) return []
  return webhooks.map(({ kind, name, service, serviceThere, failurePolicy }) => {
    const blocks = !serviceThere && failurePolicy === 'Fail'
    return {
      check: 'another-karpenter',
      level: blocks ? 'error' : 'warning',
      subject: `${kind} ${name}`,
      problem: `is of Karpenter 1.0 or older and still judges Karpenter's objects${
        blocks ? ', and what it calls is gone, so none of them can be written' : ''
      }`,
      evidence: `${service === undefined ? 'calls a URL' : `service ${service}${serviceThere ? '' : ', which does not exist'}`}; failurePolicy ${failurePolicy}`,
      fix: `kubectl delete ${kind.toLowerCase()} ${name}`,
      ...(blocks && { override: 'old-webhook' })
    }
  })
}
