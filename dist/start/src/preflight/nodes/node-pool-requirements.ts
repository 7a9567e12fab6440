import type { _InstanceType } from '@aws-sdk/client-ec2'
import { labelsOfDescription, labelsOfName } from '../../karpenter/instance-labels.js'
import {
  met,
  type NodeRequirement,
  requirementsOf,
  requirementText
} from '../../karpenter/requirement-match.js'
import { listField, type Manifest, textField } from '../../kubernetes/manifest.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'
import { describedAtOnce } from '../reads/instance-type-reads.js'
import type { Zone } from '../reads/node-class-reads.js'
import { takes, termOf } from './node-class-selectors.js'

type RequirementFacts = Pick<
  Facts,
  | 'clusterName'
  | 'nodePools'
  | 'region'
  | 'values'
  | 'subnets'
  | 'subnetsOf'
  | 'nodeClass'
  | 'offeredTypes'
  | 'describedTypes'
>

/** NodePools whose requirements leave no instance type where their nodes could run: pods would wait for ever. */
export async function nodePoolRequirements(facts: RequirementFacts): Promise<readonly Concern[]> {
  return (await Promise.all(facts.nodePools.map(async (nodePool) => check(nodePool, facts)))).flat()
}

/** Of the subnets that an EC2NodeClass selects, once this run's discovery tags are set. */
async function zonesOf(
  nodeClass: Manifest,
  { clusterName, subnets, subnetsOf }: RequirementFacts
): Promise<readonly Zone[]> {
  const terms = listField(nodeClass, 'spec', 'subnetSelectorTerms').map(termOf)
  const own = subnets.filter((subnet) => terms.some((term) => takes(term, subnet, clusterName)))
  const found = await Promise.all(terms.map(async (term) => subnetsOf(term)))
  return [
    ...own.map(({ availabilityZone, availabilityZoneId }) => ({
      name: availabilityZone,
      id: availabilityZoneId
    })),
    ...found.flat().map(({ zone }) => zone)
  ]
}

const zoneLabel = 'topology.kubernetes.io/zone'

async function check(nodePool: Manifest, facts: RequirementFacts): Promise<Concern[]> {
  const className = textField(nodePool, 'spec', 'template', 'spec', 'nodeClassRef', 'name') ?? ''
  const nodeClass = await facts.nodeClass(className)
  const zones = nodeClass === undefined ? [] : await zonesOf(nodeClass, facts)
  // Which is another check's affair.
  if (nodeClass === undefined || zones.length === 0) return []
  const requirements = requirementsOf(nodePool)
  const place = requirements.filter(({ key }) => placeLabels.includes(key))
  const fit = zones.filter(
    (zone) => met(labelsOfPlace(zone, nodeClass, facts.region), place) === place.length
  )
  const of = `NodePool ${nodePool.metadata.name}`
  if (fit.length === 0) {
    return [
      finding(
        'error',
        `${of}: no subnet of EC2NodeClass ${className} is where it wants its nodes`,
        `${place.map(requirementText).join('; ')}; the subnets are in ${textOf(zones)}, for ${osOf(nodeClass)} nodes`,
        `Ask for a zone that has a subnet (${zoneLabel} In ${textOf(zones)}), or have the EC2NodeClass select subnets of that zone.`
      )
    ]
  }
  const names = [...new Set(fit.map(({ name }) => name))].toSorted()
  const excluded = await exclusion(names, requirements, facts)
  if (excluded === undefined) return []
  if (excluded === 'denied') {
    return [
      finding(
        'note',
        `whether ${of} leaves an instance type could not be read`,
        "the run's role may not call ec2:DescribeInstanceTypeOfferings and ec2:DescribeInstanceTypes",
        'Allow them to have this looked at.'
      )
    ]
  }
  if (excluded.kind === 'too few') {
    const { by, count } = excluded
    return [
      finding(
        'error',
        `${of}: the instance types that are offered in ${names.join(', ')} and meet its requirements have ${count} values of ${by.key}, and minValues asks for ${by.minValues ?? 0}`,
        requirementText(by),
        'Lower minValues, widen the requirements, or pass `settings.minValuesPolicy: BestEffort` in helm-values (1.6 and later).'
      )
    ]
  }
  const { by, last } = excluded
  return [
    finding(
      'error',
      `${of}: no instance type that is offered in ${names.join(', ')} meets its requirements`,
      `${requirementText(by)} excludes ${last.length === 0 ? 'every one' : `the last: ${namedFew(last)}`}`,
      'Widen that requirement, or those beside it, and run again.'
    )
  ]
}

type Exclusion =
  | {
      readonly kind: 'excluded'
      readonly by: NodeRequirement
      /** Those that meet all that stands before it. */
      readonly last: readonly string[]
    }
  | { readonly kind: 'too few'; readonly by: NodeRequirement; readonly count: number }

async function exclusion(
  zones: readonly string[],
  requirements: readonly NodeRequirement[],
  { offeredTypes, describedTypes, values }: RequirementFacts
): Promise<Exclusion | 'denied' | undefined> {
  const nameLabels = Object.keys(labelsOfName(''))
  const byName = requirements.filter(({ key }) => nameLabels.includes(key))
  const byDescription = requirements.filter(({ key }) => describedLabels.has(key))
  // With nothing asked of the instance there is always one.
  if (byName.length === 0 && byDescription.length === 0) return undefined
  const narrowest = narrowestOf(byName)
  const types = await offeredTypes(zones, narrowest?.patterns ?? [])
  if (types === 'denied') return 'denied'
  if (types.length === 0)
    return narrowest === undefined ? undefined : { kind: 'excluded', by: narrowest.by, last: [] }
  const named = furthest(types, byName, labelsOfName)
  if (named.excluded !== undefined) return named.excluded
  const few =
    textField(values, 'settings', 'minValuesPolicy') === 'BestEffort' ? undefined : tooFew(named.fit, byName)
  if (few !== undefined) return few
  if (byDescription.length === 0) return undefined
  let worst: { readonly count: number; readonly types: readonly string[] } = { count: -1, types: [] }
  for (const batch of batches(named.fit)) {
    const infos = await describedTypes(batch)
    if (infos === 'denied') return 'denied'
    for (const info of infos) {
      const labels = labelsOfDescription(info)
      if (labels === undefined) continue
      const count = met(labels, byDescription)
      if (count === byDescription.length) return undefined
      const type = info.InstanceType ?? ''
      if (count > worst.count) worst = { count, types: [type] }
      else if (count === worst.count) worst = { count, types: [...worst.types, type] }
    }
  }
  const by = byDescription[Math.max(0, worst.count)]
  return by === undefined ? undefined : { kind: 'excluded', by, last: worst.types }
}

function furthest(
  types: readonly _InstanceType[],
  requirements: readonly NodeRequirement[],
  labels: typeof labelsOfName
): { readonly fit: readonly _InstanceType[]; readonly excluded: Exclusion | undefined } {
  const counts = types.map((type) => ({ type, count: met(labels(type), requirements) }))
  const most = Math.max(...counts.map(({ count }) => count))
  const best = counts.filter(({ count }) => count === most).map(({ type }) => type)
  const by = requirements[most]
  return { fit: best, excluded: by === undefined ? undefined : { kind: 'excluded', by, last: best } }
}

/** As far as names tell: what EC2 describes can only leave fewer. */
function tooFew(
  types: readonly _InstanceType[],
  requirements: readonly NodeRequirement[]
): Exclusion | undefined {
  return requirements
    .map((by) => {
      const values = new Set(types.flatMap((type) => labelsOfName(type)[by.key] ?? []))
      return { kind: 'too few', by, count: values.size } as const
    })
    .find(({ by, count }) => count < (by.minValues ?? 0))
}

/** The requirement by which EC2 itself can leave out most: types by name, else by family, else by category. */
function narrowestOf(
  requirements: readonly NodeRequirement[]
): { readonly by: NodeRequirement; readonly patterns: readonly string[] } | undefined {
  const ways: readonly (readonly [string, (value: string) => string])[] = [
    ['node.kubernetes.io/instance-type', (value) => value],
    ['karpenter.k8s.aws/instance-family', (value) => `${value}.*`],
    ['karpenter.k8s.aws/instance-category', (value) => `${value}*`]
  ]
  for (const [label, pattern] of ways) {
    const by = requirements.find(({ key, operator }) => key === label && operator === 'In')
    if (by !== undefined) return { by, patterns: by.values.map(pattern) }
  }
  return undefined
}

/** Types of every kind in each batch, so that the first most often has one that fits. */
function batches(types: readonly _InstanceType[]): readonly (readonly _InstanceType[])[] {
  const count = Math.ceil(types.length / describedAtOnce)
  return Array.from({ length: count }, (_, batch) => types.filter((_type, index) => index % count === batch))
}

const placeLabels = [
  zoneLabel,
  'topology.k8s.aws/zone-id',
  'topology.kubernetes.io/region',
  'kubernetes.io/os'
]
const describedLabels: ReadonlySet<string> = new Set(
  Object.keys(labelsOfDescription({ ProcessorInfo: { SupportedArchitectures: ['x86_64'] } }) ?? {})
)

function labelsOfPlace(
  { name, id }: Zone,
  nodeClass: Manifest,
  region: string
): Readonly<Record<string, readonly string[]>> {
  return {
    [zoneLabel]: [name],
    ...(id !== undefined && { 'topology.k8s.aws/zone-id': [id] }),
    'topology.kubernetes.io/region': [region],
    'kubernetes.io/os': [osOf(nodeClass)]
  }
}

function osOf(nodeClass: Manifest): 'windows' | 'linux' {
  const families = [
    textField(nodeClass, 'spec', 'amiFamily'),
    ...listField(nodeClass, 'spec', 'amiSelectorTerms').map((term) => textField(term, 'alias'))
  ]
  return families.some((family) => /^windows/i.test(family ?? '')) ? 'windows' : 'linux'
}

function textOf(zones: readonly Zone[]): string {
  return [...new Set(zones.map(({ name }) => name))].toSorted().join(', ')
}

function namedFew(types: readonly string[]): string {
  const few = types.toSorted().slice(0, 4)
  return types.length > few.length
    ? `${few.join(', ')} and ${types.length - few.length} more`
    : few.join(', ')
}

function finding(level: Concern['level'], problem: string, evidence: string, fix: string): Concern {
  return { level, subject: 'node-pools', problem, evidence, fix }
}
