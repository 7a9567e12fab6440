import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import { isOwnCrd, retiredCrds } from '../karpenter/crd-names.js'
import { testedPatchOf } from '../karpenter/tested-versions.js'
import { isBefore } from '../karpenter/versions.js'
import type { Facts } from './facts.js'
import type { Concern } from './finding.js'

type CrdFacts = Pick<Facts, 'version' | 'crd' | 'objectsOf'>

/** What those of the named CRDs that are there do to the version that is wanted. */
export async function crdConcerns(names: readonly string[], facts: CrdFacts): Promise<readonly Concern[]> {
  const found = await Promise.all(names.map(async (name) => facts.crd(name)))
  const crds = found.filter((crd) => crd !== undefined)
  return (await Promise.all(crds.map(async (crd) => concernsOf(crd, facts)))).flat()
}

async function concernsOf(crd: CustomResourceDefinition, facts: CrdFacts): Promise<Concern[]> {
  const name = crd.metadata?.name ?? ''
  const finding = (level: Concern['level'], problem: string, evidence: string, fix: string): Concern => ({
    level,
    subject: `CustomResourceDefinition ${name}`,
    problem,
    evidence,
    fix
  })
  if (retiredCrds.includes(name)) {
    const objects = await facts.objectsOf(name)
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
  if (isBefore(facts.version, '1.1.0')) return []
  const findings: Concern[] = []
  const stored = crd.status?.storedVersions ?? []
  // CapacityBuffers, which came with 1.14, have no other version than their own v1beta1.
  if (stored.includes('v1beta1') && isOwnCrd(name)) {
    findings.push(
      finding(
        'error',
        `still has objects stored as v1beta1, which Karpenter ${facts.version} does not have`,
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
        `converts by a webhook that Karpenter ${facts.version} does not have`,
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
