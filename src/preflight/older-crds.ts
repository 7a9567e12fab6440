import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import { testedPatchOf } from '../karpenter/tested-versions.js'
import { isBefore } from '../karpenter/versions.js'
import type { Finding } from './finding.js'

export interface CrdFacts {
  readonly karpenterVersion: string
  /** Karpenter's own, whatever their age. */
  readonly crds: () => Promise<readonly CustomResourceDefinition[]>
  /** Names of the objects of a retired CRD's kind. */
  readonly objectsOf: (crd: CustomResourceDefinition) => Promise<readonly string[]>
}

/** CRDs that only Karpenter before 0.33 had. */
export const retiredCrds: readonly string[] = [
  'provisioners.karpenter.sh',
  'machines.karpenter.sh',
  'awsnodetemplates.karpenter.k8s.aws'
]

/** What CRDs of other ages do to the version that is wanted. */
export async function crdFindings(facts: CrdFacts): Promise<readonly Finding[]> {
  const crds = await facts.crds()
  return (await Promise.all(crds.map(async (crd) => findingsOf(crd, facts)))).flat()
}

async function findingsOf(crd: CustomResourceDefinition, facts: CrdFacts): Promise<Finding[]> {
  const name = crd.metadata?.name ?? ''
  const finding = (level: Finding['level'], problem: string, evidence: string, fix: string): Finding => ({
    check: 'another-karpenter',
    level,
    subject: `CustomResourceDefinition ${name}`,
    problem,
    evidence,
    fix
  })
  if (retiredCrds.includes(name)) {
    const objects = await facts.objectsOf(crd)
    const served = crd.spec.versions.map((version) => version.name).join(', ')
    return [
      finding(
        'warning',
        'is of Karpenter 0.32 or older, and no controller reads its objects any more',
        [`serves ${served}`, objects.length === 0 ? 'no objects' : `objects: ${named(objects)}`].join('; '),
        objects.length === 0
          ? `kubectl delete crd ${name}`
          : `Pass its objects as node-pools to have them converted, then: kubectl delete crd ${name}`
      )
    ]
  }
  if (isBefore(facts.karpenterVersion, '1.1.0')) return []
  const findings: Finding[] = []
  const stored = crd.status?.storedVersions ?? []
  // CapacityBuffers, which came with 1.14, have no other version than their own v1beta1.
  if (stored.includes('v1beta1') && /\.karpenter\.(sh|k8s\.aws)$/.test(name)) {
    findings.push(
      finding(
        'error',
        `still has objects stored as v1beta1, which Karpenter ${facts.karpenterVersion} does not have`,
        [`status.storedVersions: ${stored.join(', ')}`, ...ownerOf(crd)].join('; '),
        `Install ${testedPatchOf('1.0') ?? '1.0'} first and have every object rewritten as v1 (kubectl get ${name} -o yaml | kubectl replace -f -), then take v1beta1 out of status.storedVersions.`
      )
    )
  }
  const service = crd.spec.conversion?.webhook?.clientConfig?.service
  if (crd.spec.conversion?.strategy === 'Webhook') {
    findings.push(
      finding(
        'warning',
        `converts by a webhook that Karpenter ${facts.karpenterVersion} does not have`,
        [
          ...(service === undefined ? [] : [`service ${service.namespace}/${service.name}`]),
          ...ownerOf(crd)
        ].join('; '),
        `If its objects cannot be read afterwards: kubectl patch crd ${name} --type=merge -p '{"spec":{"conversion":{"strategy":"None","webhook":null}}}'`
      )
    )
  }
  return findings
}

function ownerOf(crd: CustomResourceDefinition): readonly string[] {
  const { annotations = {}, managedFields = [] } = crd.metadata ?? {}
  const release = annotations['meta.helm.sh/release-name']
  if (release !== undefined)
    return [`of helm release ${annotations['meta.helm.sh/release-namespace'] ?? ''}/${release}`]
  const managers = [...new Set(managedFields.flatMap(({ manager }) => manager ?? []))]
  return managers.length === 0 ? [] : [`written by ${managers.join(', ')}`]
}

function named(names: readonly string[]): string {
  const more = names.length > 5 ? ` and ${names.length - 5} more` : ''
  return `${names.slice(0, 5).join(', ')}${more}`
}
