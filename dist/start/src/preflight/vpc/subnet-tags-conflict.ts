import type { Subnet } from '../../aws/discover.js'
import { discoveryTag } from '../../karpenter/names.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'

/** Free addresses under which a subnet is worth a word: a node takes one at once and more for its pods. */
const fewAddresses = 16

/** Subnets and security groups that another cluster's Karpenter finds by the same tag, or that cannot hold nodes. */
export function subnetTagsConflict({
  clusterName,
  discovery,
  subnets,
  securityGroups
}: Pick<Facts, 'clusterName' | 'discovery' | 'subnets' | 'securityGroups'>): readonly Concern[] {
  return [
    ...none('subnets', subnets.length),
    ...none('security-groups', securityGroups.length),
    ...(discovery === 'ids'
      ? []
      : [
          ...conflicts('subnets', clusterName, subnets),
          ...conflicts('security-groups', clusterName, securityGroups)
        ]),
    ...room(subnets)
  ]
}

type Input = 'subnets' | 'security-groups'

function none(input: Input, count: number): Concern[] {
  if (count > 0) return []
  return [
    {
      level: 'error',
      subject: input,
      problem: 'none was found, so nodes would have nowhere to run',
      evidence: '',
      fix: `Pass ids in \`${input}\`, or \`${input}: cluster\`.`
    }
  ]
}

function conflicts(
  input: Input,
  clusterName: string,
  found: readonly { readonly id: string; readonly tags: Readonly<Record<string, string>> }[]
): Concern[] {
  const free = found.filter((one) => [undefined, '', clusterName].includes(one.tags[discoveryTag]))
  return found
    .filter((one) => !free.includes(one))
    .map((one) => ({
      level: 'error',
      subject: input,
      problem: `${one.id} is tagged ${discoveryTag}=${one.tags[discoveryTag] ?? ''}, so cluster "${clusterName}" cannot have it`,
      evidence: '',
      fix: `Where both clusters use it, pass \`discovery: ids\`: EC2NodeClasses name it by its id, and no tag is touched. Else pass ${
        free.length > 0 ? `\`${input}: ${free.map(({ id }) => id).join(',')}\`` : `other \`${input}\``
      }.`
    }))
}

function room(subnets: readonly Subnet[]): Concern[] {
  const findings: Concern[] = []
  const zones = new Set(subnets.map((subnet) => subnet.availabilityZone))
  if (subnets.length > 0 && zones.size < 2) {
    findings.push({
      level: 'warning',
      subject: 'subnets',
      problem: `all of them are in ${[...zones].join(', ')}: nodes have no second availability zone to go to`,
      evidence: '',
      fix: 'Pass subnets of at least two zones.'
    })
  }
  const full = subnets.filter((subnet) => subnet.availableAddresses < fewAddresses)
  if (full.length > 0) {
    const every = full.every((subnet) => subnet.availableAddresses === 0) && full.length === subnets.length
    findings.push({
      level: every ? 'error' : 'warning',
      subject: 'subnets',
      problem: every ? 'there is no free address in any of them' : 'there are few free addresses',
      evidence: full.map((subnet) => `${subnet.id} has ${subnet.availableAddresses}`).join(', '),
      fix: 'Pass larger subnets, or free addresses.'
    })
  }
  return findings
}
