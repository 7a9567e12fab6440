import type { SecurityGroup as GroupWithRules } from '@aws-sdk/client-ec2'
import { type End, mayReach } from '../../aws/security-group-rules.js'
import { listField, type Manifest } from '../../kubernetes/manifest.js'
import type { Facts } from '../facts.js'
import { type Concern, leftToInstall } from '../finding.js'
import { takes, termOf } from '../nodes/node-class-selectors.js'
import type { NodeInstance } from '../reads/network-reads.js'

type GroupFacts = Pick<
  Facts,
  | 'clusterName'
  | 'changes'
  | 'nodes'
  | 'nodeClasses'
  | 'subnets'
  | 'securityGroups'
  | 'securityGroupsOf'
  | 'nodeInstances'
  | 'securityGroupRules'
>

/** What new nodes would have, and who says so. */
interface Selection {
  readonly ids: readonly string[]
  /** EC2NodeClasses. */
  readonly classes: readonly string[]
  /** They are those of `security-groups`. */
  readonly byInput: boolean
}

/** EC2 takes at most 200 values of a filter (DescribeInstances, "Filters"). */
const atOnce = 200

/**
 * Whether pods of new nodes would reach pods of the nodes that are there, CoreDNS before all, and those them: by a security
 * group that both have, or by rules. Node groups of terraform-aws-modules/eks have a group of their own and not the
 * cluster's (its README, "Node security group").
 */
export async function nodeSecurityGroups(facts: GroupFacts): Promise<readonly Concern[]> {
  if (!(await facts.changes())) return []
  const ids = (await facts.nodes()).flatMap(({ labels, instanceId }) =>
    'karpenter.sh/nodepool' in labels ? [] : (instanceId ?? [])
  )
  let left = ids.length === 0 ? [] : await selections(facts)
  const nodes: NodeInstance[] = []
  for (let at = 0; left.length > 0 && at < ids.length; at += atOnce) {
    const read = await facts.nodeInstances(ids.slice(at, at + atOnce))
    if (read.state === 'denied') return [notRead(read.action)]
    nodes.push(...read.items)
    left = left.filter((one) => !nodes.some(({ groups }) => groups.some((id) => one.ids.includes(id))))
  }
  if (left.length === 0 || nodes.length === 0) return []
  const all = new Set([...left.flatMap((one) => one.ids), ...nodes.flatMap(({ groups }) => groups)])
  const rules = await facts.securityGroupRules([...all].toSorted())
  if (rules.state === 'denied') return [notRead(rules.action)]
  const withRules = (wanted: readonly string[]): readonly GroupWithRules[] =>
    rules.items.filter(({ GroupId }) => wanted.some((id) => id === GroupId))
  const addresses = facts.subnets.flatMap(({ cidr }) => cidr ?? [])
  return left.flatMap((selection) => {
    const fresh: End = { groups: withRules(selection.ids), addresses }
    const old = nodes.map(({ groups, privateIp }) => ({
      groups: withRules(groups),
      addresses: privateIp === '' ? [] : [privateIp]
    }))
    const talks = (one: End): boolean => mayReach(fresh, one, 'udp', 53) && mayReach(one, fresh, 'udp', 53)
    return old.some(talks) ? [] : [apart(selection, nodes, rules.items)]
  })
}

/** What the EC2NodeClasses find, once this run's discovery tags are set. */
async function selections(facts: GroupFacts): Promise<readonly Selection[]> {
  const bySet = new Map<string, Selection>()
  for (const nodeClass of facts.nodeClasses) {
    const ids = await groupsOf(nodeClass, facts)
    if (ids.length === 0) continue
    const key = ids.join()
    const classes = [...(bySet.get(key)?.classes ?? []), nodeClass.metadata.name]
    const byInput = ids.every((id) => facts.securityGroups.some((one) => one.id === id))
    bySet.set(key, { ids, classes, byInput })
  }
  return [...bySet.values()]
}

async function groupsOf(nodeClass: Manifest, facts: GroupFacts): Promise<readonly string[]> {
  const terms = listField(nodeClass, 'spec', 'securityGroupSelectorTerms').map(termOf)
  const found = await Promise.all(
    terms.map(async (term) => {
      if (term.id !== undefined) return [term.id]
      const chosen = facts.securityGroups.filter((one) => takes(term, one, facts.clusterName))
      return [...chosen.map(({ id }) => id), ...(await facts.securityGroupsOf(term))]
    })
  )
  return [...new Set(found.flat())].toSorted()
}

function apart(
  { ids, classes, byInput }: Selection,
  nodes: readonly NodeInstance[],
  groups: readonly GroupWithRules[]
): Concern {
  const named = (id: string): string => {
    const name = groups.find(({ GroupId }) => GroupId === id)?.GroupName
    return name === undefined ? id : `${id} (${name})`
  }
  const ofNodes = commonest(nodes)
  const whose = byInput ? '' : ` of EC2NodeClass ${classes.join(', ')}`
  return {
    level: 'warning',
    subject: byInput ? 'security-groups' : 'node-pools',
    problem: `${ids.map(named).join(', ')}${whose} ${ids.length === 1 ? 'is' : 'are'} ${nodes.length === 1 ? 'not on the one node that is there' : `on none of the ${nodes.length} nodes that are there`}, and the rules do not let DNS (UDP 53) pass between old and new nodes both ways: pods on new nodes would reach no CoreDNS`,
    evidence: `${nodes.length === 1 ? 'the node has' : 'the nodes have'} ${ofNodes.map(named).join(', ')}`,
    fix: byInput
      ? `Pass \`security-groups: ${ofNodes.join(',')}\`, as the nodes that are there have it, or add rules to both that let them reach each other.`
      : `Select ${ofNodes.join(', ')} in securityGroupSelectorTerms (\`- id: ${ofNodes[0] ?? ''}\`), or add rules to both that let them reach each other.`
  }
}

/** The groups that all nodes have; without any those of the set that most have. */
function commonest(nodes: readonly NodeInstance[]): readonly string[] {
  const [first, ...others] = nodes.map(({ groups }) => groups.toSorted())
  const common = (first ?? []).filter((id) => others.every((groups) => groups.includes(id)))
  if (common.length > 0) return common
  const counts = new Map<string, number>()
  for (const { groups } of nodes) {
    const key = groups.toSorted().join()
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a)
  return most?.[0].split(',') ?? []
}

function notRead(action: string): Concern {
  return {
    level: 'note',
    subject: 'security-groups',
    problem: `whether nodes that are there and new ones reach each other could not be seen: the run's role may not call ${action}`,
    evidence: '',
    fix: leftToInstall
  }
}
