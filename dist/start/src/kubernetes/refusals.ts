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
    pattern: /conversion webhook for (\S+), Kind=(\w+) failed/,
    says: ([version = '', kind = '']) => {
      const crd = `${kind.toLowerCase()}s.${version.split('/')[0] ?? ''}`
      return {
        by: `the conversion webhook of CustomResourceDefinition ${crd}, which does not answer`,
        fix: `Bring what serves it up (kubectl get customresourcedefinition ${crd} -o yaml names it under spec.conversion); or, where it is a leftover of an earlier Karpenter, put CRDs there that need none; ${again}.`
      }
    }
  },
  {
    pattern: /failed calling webhook "([^"]*)"[^]*?x509: ([^]*)$/,
    says: ([name = '']) => ({
      by: `webhook "${name}", whose certificate the API server does not take`,
      fix: `Renew its certificate, or the caBundle of its ValidatingWebhookConfiguration or MutatingWebhookConfiguration (cert-manager, or what made it); or, where it is a leftover, delete that; ${again}.`
    })
  },
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
    pattern: /(Validating|Mutating)AdmissionPolicy '([^']*)'[^]*?denied request/,
    says: ([kind = '', name = ''], where, known) => ({
      by: `${kind}AdmissionPolicy ${name}`,
      fix: `Leave ${known ? `namespace ${where}` : 'what app.kubernetes.io/managed-by=setup-karpenter labels'} out of its binding (kubectl edit ${kind.toLowerCase()}admissionpolicybinding), or ask who keeps the policy, ${again}.`
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
    pattern: /insufficient quota to match these scopes: \[\{PriorityClass In \[([^\]]*)\]/,
    says: ([classes = ''], where) => ({
      by: `the cluster, which wants a ResourceQuota wherever pods have PriorityClass ${classes.split(' ').join(' or ')}`,
      fix: `Make one in namespace ${where} whose scopeSelector has PriorityClass In these (Kubernetes, "Limit Priority Class consumption by default"); or give \`helm-values: "priorityClassName: null"\`; ${again}.`
    })
  },
  {
    pattern: /status unknown for quota: ([^\s:,]+)/,
    says: ([name = ''], where) => ({
      by: `ResourceQuota ${name}, of which nothing is counted yet`,
      fix: `It was made a moment ago, or kube-controller-manager does not count it (kubectl -n ${where} get resourcequota ${name} -o yaml): wait ${again}.`
    })
  },
  {
    pattern: /forbidden: not yet ready to handle request/,
    says: () => ({
      by: 'the API server, whose admission is still starting',
      fix: 'Run again in a minute.'
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
