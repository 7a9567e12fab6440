import { isBefore } from '../karpenter/versions.js'
import type { Concern } from './finding.js'
import type { OlderWebhook } from './reads/older-karpenter-reads.js'

/** A webhook that outlived its controller lets nothing of Karpenter's be written. */
export function webhookConcerns(webhooks: readonly OlderWebhook[], version: string): readonly Concern[] {
  // 1.0 has them itself.
  if (isBefore(version, '1.1.0')) return []
  return webhooks.map(({ kind, name, service, serviceThere, failurePolicy }) => {
    const blocks = !serviceThere && failurePolicy === 'Fail'
    return {
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
