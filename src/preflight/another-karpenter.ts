import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import semver from 'semver'
import type { Controller } from '../helm/release.js'
import type { Check, Finding } from './finding.js'

export interface AnotherKarpenterFacts {
  readonly namespace: string
  readonly releaseName: string
  readonly karpenterVersion: string
  readonly controllers: readonly Controller[]
  /** Karpenter's own, whatever their age; undefined when they were not read. */
  readonly crds: readonly CustomResourceDefinition[] | undefined
}

/** Two controllers on one set of NodePools undo each other's work; CRDs of another age refuse each other's objects. */
export function anotherKarpenter(facts: AnotherKarpenterFacts): Check {
  return {
    name: 'another-karpenter',
    run: async () => [...others(facts), ...(facts.crds ?? []).flatMap((crd) => crdFindings(crd, facts))]
  }
}

function others({ namespace, releaseName, controllers }: AnotherKarpenterFacts): Finding[] {
  return controllers
    .filter(
      ({ release }) =>
        release === undefined || release.name !== releaseName || release.namespace !== namespace
    )
    .map(({ namespace: there, deployment, version, release }) => ({
      check: 'another-karpenter',
      level: 'error',
      subject: there === namespace ? `Deployment ${there}/${deployment}` : 'namespace',
      problem: `Karpenter${version === '' ? '' : ` ${version}`} is already installed in namespace ${there}`,
      evidence: `Deployment ${there}/${deployment}, ${
        release === undefined ? 'not installed by helm' : `helm release ${release.namespace}/${release.name}`
      }`,
      fix:
        release?.name === releaseName
          ? `To take it over and keep it there, pass \`namespace: ${release.namespace}\`; to start anew, remove it first (helm uninstall ${release.name} -n ${release.namespace}).`
          : release === undefined
            ? `Remove it first: kubectl delete deployment ${deployment} -n ${there}`
            : `Remove it first: helm uninstall ${release.name} -n ${release.namespace}`
    }))
}

/** Served up to 0.32; nothing reads them any more. */
const ancient = /^(provisioners|machines)\.karpenter\.sh$|^awsnodetemplates\.karpenter\.k8s\.aws$/

function crdFindings(crd: CustomResourceDefinition, facts: AnotherKarpenterFacts): Finding[] {
  const name = crd.metadata?.name ?? ''
  const finding = (level: Finding['level'], problem: string, evidence: string, fix: string): Finding => ({
    check: 'another-karpenter',
    level,
    subject: `CustomResourceDefinition ${name}`,
    problem,
    evidence,
    fix
  })
  if (ancient.test(name)) {
    return [
      finding(
        'warning',
        'is of Karpenter 0.32 or older, and no controller reads its objects any more',
        '',
        `Pass its objects as node-pools to have them converted, then: kubectl delete crd ${name}`
      )
    ]
  }
  if (semver.lt(facts.karpenterVersion, '1.1.0')) return []
  const findings: Finding[] = []
  const stored = (crd.status?.storedVersions ?? []).filter((version) => version !== 'v1')
  if (stored.includes('v1beta1')) {
    findings.push(
      finding(
        'error',
        `still has objects stored as v1beta1, which Karpenter ${facts.karpenterVersion} does not have`,
        `status.storedVersions: ${(crd.status?.storedVersions ?? []).join(', ')}`,
        `Install 1.0.8 first and have every object rewritten as v1 (kubectl get ${name} -o yaml | kubectl replace -f -), then take v1beta1 out of status.storedVersions.`
      )
    )
  }
  const service = crd.spec.conversion?.webhook?.clientConfig?.service
  if (crd.spec.conversion?.strategy === 'Webhook') {
    findings.push(
      finding(
        'warning',
        `converts by a webhook that Karpenter ${facts.karpenterVersion} does not have`,
        service === undefined ? '' : `service ${service.namespace}/${service.name}`,
        `If its objects cannot be read afterwards: kubectl patch crd ${name} --type=merge -p '{"spec":{"conversion":{"strategy":"None","webhook":null}}}'`
      )
    )
  }
  return findings
}
