import type { Ownership } from '../aws/environment.js'
import { field, listField, type Manifest, textField } from '../kubernetes/manifest.js'
import { unknownFields } from '../kubernetes/unknown-fields.js'
import { ownerOfObject } from '../adoption/owners/object-owner.js'
import { ownerText } from '../adoption/owners/owner-evidence.js'
import { type CrdKeeper, keeperText } from '../resources/controller/crd-keeper.js'
import { howToUpgrade } from '../resources/controller/crd-refusal.js'
import { crdDifferences } from '../resources/controller/crds.js'
import type { Check, Finding } from './finding.js'

export interface LeftCrdsFacts {
  readonly version: string
  /** The chart's own. */
  readonly crds: readonly Manifest[]
  /** What is there of them, and who keeps it; undefined when nothing is to be changed. */
  readonly live: () => Promise<
    { readonly found: readonly unknown[]; readonly keepers: ReadonlyMap<string, CrdKeeper> } | undefined
  >
  /** NodePools and EC2NodeClasses that are given. */
  readonly given: readonly Manifest[]
  readonly ownership: Ownership
}

/** CRDs that are left to others must be what the controller and the given manifests need. */
export function leftCrds(facts: LeftCrdsFacts | undefined): Check {
  return {
    name: 'left-crds',
    run: async () => {
      const live = await facts?.live()
      if (facts === undefined || live === undefined) return []
      const { found, keepers } = live
      const [keeper] = keepers.values()
      return facts.crds.flatMap((crd) => {
        const { name } = crd.metadata
        const there = found.find((one) => textField(one, 'metadata', 'name') === name)
        return findingsOf(crd, there, keepers.get(name) ?? (there === undefined ? keeper : undefined), facts)
      })
    }
  }
}

function findingsOf(
  crd: Manifest,
  live: unknown,
  keeper: CrdKeeper | undefined,
  { version, given, ownership }: LeftCrdsFacts
): readonly Finding[] {
  const { name } = crd.metadata
  const whose = keeper === undefined ? ownerText(ownerOfObject(live, ownership)) : keeperText(keeper)
  const finding = (
    level: Finding['level'],
    problem: string,
    fix = `Run: ${howToUpgrade(keeper, version)}`
  ): Finding => ({
    check: 'left-crds',
    level,
    subject: 'crds',
    problem,
    evidence: live === undefined ? '' : whose,
    fix
  })
  if (live === undefined) {
    return [finding('error', `leave: CRD ${name} is not there, and Karpenter ${version} has it`)]
  }
  const served = new Set(servedBy(live))
  const unserved = servedBy(crd).filter((one) => !served.has(one))
  if (unserved.length > 0) {
    return [
      finding(
        'error',
        `leave: CRD ${name} does not serve ${unserved.join(', ')}, which Karpenter ${version} reads`
      )
    ]
  }
  const unknown = given
    .filter(({ apiVersion, kind }) => isOf(crd, apiVersion, kind))
    .flatMap((object) =>
      unknownFields(object, live).map((path) => `${object.kind} ${object.metadata.name}: ${path}`)
    )
  if (unknown.length > 0) {
    return [finding('error', `leave: CRD ${name} does not have fields that are given: ${unknown.join(', ')}`)]
  }
  const [different] = crdDifferences(crd, live, version)
  return different === undefined
    ? [finding('note', `CRD ${name} is left as it is, which is that of ${version}`, 'Nothing is to be done.')]
    : [finding('warning', `leave: ${different.reason}`)]
}

function servedBy(crd: unknown): readonly string[] {
  return listField(crd, 'spec', 'versions')
    .filter((one) => field(one, 'served') !== false)
    .map((one) => textField(one, 'name') ?? '')
}

function isOf(crd: Manifest, apiVersion: string, kind: string): boolean {
  return (
    textField(crd, 'spec', 'group') === apiVersion.split('/')[0] &&
    textField(crd, 'spec', 'names', 'kind') === kind
  )
}
