import { isMap } from '../../engine/json.js'
import { discoveryTag } from '../../karpenter/names.js'
import type { SelectorTerm } from '../../karpenter/types.js'
import { field, listField, type Manifest } from '../../kubernetes/manifest.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'

type SelectorFacts = Pick<
  Facts,
  'clusterName' | 'nodeClasses' | 'subnets' | 'securityGroups' | 'subnetsOf' | 'securityGroupsOf'
>

const selectors = [
  { spec: 'subnetSelectorTerms', kind: 'subnets', one: 'subnet' },
  { spec: 'securityGroupSelectorTerms', kind: 'security-groups', one: 'security group' }
] as const

/** EC2NodeClasses whose terms find nothing, once this run's discovery tags are set: no node would ever start. */
export async function nodeClassSelectors(facts: SelectorFacts): Promise<readonly Concern[]> {
  const asked = facts.nodeClasses.flatMap((nodeClass) =>
    selectors.map(async (selector) => check(nodeClass, selector, facts))
  )
  return (await Promise.all(asked)).flat()
}

async function check(
  nodeClass: Manifest,
  selector: (typeof selectors)[number],
  facts: SelectorFacts
): Promise<Concern[]> {
  const terms = listField(nodeClass, 'spec', selector.spec).map(termOf)
  const [known, find] =
    selector.kind === 'subnets'
      ? [facts.subnets, facts.subnetsOf]
      : [facts.securityGroups, facts.securityGroupsOf]
  if (terms.length === 0 || terms.some((term) => known.some((one) => takes(term, one, facts.clusterName))))
    return []
  const found = await Promise.all(terms.map(async (term) => find(term)))
  if (found.some((those) => those.length > 0)) return []
  return [
    {
      level: 'error',
      subject: 'node-pools',
      problem: `EC2NodeClass ${nodeClass.metadata.name}: no ${selector.one} matches its ${selector.spec}, so no node could start`,
      evidence: terms.map(shown).join('; '),
      fix: `Select ${discoveryTag}: ${facts.clusterName}, which this action sets (input ${selector.kind}), or the tags or ids of a ${selector.one} that is there.`
    }
  ]
}

export function termOf(value: unknown): SelectorTerm {
  const [id, name, tags] = [field(value, 'id'), field(value, 'name'), field(value, 'tags')]
  return {
    ...(typeof id === 'string' && { id }),
    ...(typeof name === 'string' && { name }),
    ...(isMap(tags) && {
      tags: Object.fromEntries(Object.entries(tags).map(([key, tag]) => [key, String(tag)]))
    })
  }
}

/**
 * Whether a term finds a subnet or security group once this run has set its discovery tag. Source: EC2NodeClass v1: all of a term's tags must be
 * there; `*` takes any value.
 */
export function takes(
  term: SelectorTerm,
  one: { readonly id: string; readonly name?: string; readonly tags: Readonly<Record<string, string>> },
  clusterName: string
): boolean {
  if (term.id !== undefined) return term.id === one.id
  if (term.name !== undefined && term.name !== one.name) return false
  const tags: Readonly<Record<string, string>> = { ...one.tags, [discoveryTag]: clusterName }
  return Object.entries(term.tags ?? {}).every(
    ([key, value]) => tags[key] !== undefined && (value === '*' || value === '' || tags[key] === value)
  )
}

function shown(term: SelectorTerm): string {
  return [
    ...(term.id === undefined ? [] : [term.id]),
    ...(term.name === undefined ? [] : [`name ${term.name}`]),
    ...Object.entries(term.tags ?? {}).map(([key, value]) => `${key}=${value}`)
  ].join(' and ')
}
