/** Who refused a request that the caller may make, and what to do about it. */
export interface Refused {
  /** `admission webhook "x"`, `Pod Security (restricted:latest)`. */
  readonly by: string
  readonly fix: string
}

interface Rule {
  readonly pattern: RegExp
  /** `found`: the pattern's groups; `where`: the namespace, or a word for it; `known`: it is one. */
  readonly says: (found: readonly string[], where: string, known: boolean) => Refused
}

const again = 'and run again'

/** By the messages of Kubernetes 1.32 to 1.35 (apiserver's admission plugins), Gatekeeper and Kyverno. */
const rules: readonly Rule[] = [
  {
    pattern: /failed calling webhook "([^"]*)"(?:[^]*?https?:\/\/([\w-]+)\.([\w-]+)\.svc)?/,
    says: ([name = '', service, namespace]) => {
      const of =
        service === undefined || namespace === undefined
          ? ''
          : ` (service ${service} in namespace ${namespace})`
      const look =
        service === undefined || namespace === undefined
          ? ''
          : `: kubectl -n ${namespace} get endpointslices -l kubernetes.io/service-name=${service}`
      return {
        by: `webhook "${name}"${of}, which does not answer`,
        fix: `Bring what serves it up${look}; or, where it is a leftover, delete its ValidatingWebhookConfiguration or MutatingWebhookConfiguration; ${again}.`
      }
    }
  },
  {
    pattern: /admission webhook "([^"]*)" denied the request/,
    says: ([name = ''], where, known) => ({
      by: `admission webhook "${name}"`,
      fix: `Make an exception of its policy for ${known ? `namespace ${where} and for ` : ''}what app.kubernetes.io/managed-by=setup-karpenter labels, or ask who keeps the policy, ${again}.`
    })
  },
  {
    pattern: /ValidatingAdmissionPolicy '([^']*)'[^]*?denied request/,
    says: ([name = ''], where, known) => ({
      by: `ValidatingAdmissionPolicy ${name}`,
      fix: `Leave ${known ? `namespace ${where}` : 'what app.kubernetes.io/managed-by=setup-karpenter labels'} out of its binding (kubectl edit validatingadmissionpolicybinding), or ask who keeps the policy, ${again}.`
    })
  },
  {
    pattern: /violates PodSecurity "([^":]*)(?::[^"]*)?"/,
    says: ([level = ''], where) => ({
      by: `Pod Security (${level})`,
      fix: `Give the namespace a level that its pods meet: kubectl label namespace ${where} pod-security.kubernetes.io/enforce=${level === 'restricted' ? 'baseline' : 'privileged'} --overwrite; ${again}.`
    })
  },
  {
    pattern: /(?:exceeded|failed) quota: ([^\s:,]+)/,
    says: ([name = ''], where) => ({
      by: `ResourceQuota ${name}`,
      fix: `Raise it (kubectl -n ${where} edit resourcequota ${name}), or take another namespace, ${again}.`
    })
  },
  {
    pattern:
      /(?:maximum|minimum) [\w./-]+ usage per (?:Container|Pod|PersistentVolumeClaim)|max limit to request ratio/,
    says: (_found, where) => ({
      by: 'a LimitRange',
      fix: `Let it allow what the message names: kubectl -n ${where} get limitrange -o yaml; ${again}.`
    })
  },
  {
    pattern: /because it is being terminated/,
    says: (_found, where) => ({
      by: 'the deletion of its namespace',
      fix: `Wait until namespace ${where} is gone, or see what holds it (kubectl get namespace ${where} -o yaml), ${again}.`
    })
  }
]

/**
 * Who refused, by the server's message; undefined where it does not say. `namespace` is what the advice names; undefined:
 * the one that the message is about.
 */
export function refusedIn(message: string, namespace?: string): Refused | undefined {
  for (const { pattern, says } of rules) {
    const found = pattern.exec(message)
    if (found !== null) return says(found.slice(1), namespace ?? '<namespace>', namespace !== undefined)
  }
  return undefined
}

/** Whether the message is one of authorization, which a right would change. Source: apiserver's responsewriters and RBAC. */
export function lacksRight(message: string): boolean {
  return /\b[Uu]ser "[^"]*" cannot |is attempting to grant RBAC permissions|not allowed to (impersonate|bypass)/.test(
    message
  )
}
