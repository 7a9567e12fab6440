import type { Chart } from '../helm/chart.js'
import { type Manifest, textField } from '../kubernetes/manifest.js'
import { crdOf, servedBy } from '../kubernetes/structural-schema.js'
import { unknownFields } from '../kubernetes/unknown-fields.js'
import { ownerOfObject } from '../adoption/owners/object-owner.js'
import { ownerText } from '../adoption/owners/owner-evidence.js'
import { type CrdKeeper, keeperText } from '../resources/controller/crd-keeper.js'
import { howToUpgrade } from '../resources/controller/crd-refusal.js'
import { crdDifferences } from '../resources/controller/crds.js'
import type { Facts } from './facts.js'
import type { Concern } from './finding.js'

type LeftCrdsFacts = Pick<
  Facts,
  'crds' | 'version' | 'changes' | 'keptCrds' | 'nodeClasses' | 'nodePools' | 'ownership'
> & { readonly chart: Pick<Chart, 'crds'> }

/** CRDs that are left to others must be what the controller and the given manifests need. */
export async function leftCrds(facts: LeftCrdsFacts): Promise<readonly Concern[]> {
  if (facts.crds !== 'leave' || !(await facts.changes())) return []
  const { found, keepers } = await facts.keptCrds()
  const [keeper] = keepers.values()
  return facts.chart.crds.flatMap((crd) => {
    const { name } = crd.metadata
    const there = found.find((one) => textField(one, 'metadata', 'name') === name)
    return concernsOf(crd, there, keepers.get(name) ?? (there === undefined ? keeper : undefined), facts)
  })
}

function concernsOf(
  crd: Manifest,
  live: unknown,
  keeper: CrdKeeper | undefined,
  { version, nodeClasses, nodePools, ownership }: LeftCrdsFacts
): readonly Concern[] {
  const { name } = crd.metadata
  const whose = keeper === undefined ? ownerText(ownerOfObject(live, ownership)) : keeperText(keeper)
  const finding = (
    level: Concern['level'],
    problem: string,
    fix = `Run: ${howToUpgrade(keeper, version)}`
  ): Concern => ({
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
  const unknown = [...nodeClasses, ...nodePools]
    .filter((object) => crdOf([crd], object) !== undefined)
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
