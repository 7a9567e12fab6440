import { BlockList, isIPv4 } from 'node:net'
import type { IpPermission, SecurityGroup } from '@aws-sdk/client-ec2'

/** One end of a connection: its security groups with their rules, and the IPv4 addresses or blocks that it may have. */
export interface End {
  readonly groups: readonly SecurityGroup[]
  /** `10.0.1.7` or `10.0.0.0/19`; empty when they are not known. */
  readonly addresses: readonly string[]
}

/**
 * Whether rules let a packet pass: one of the groups of the sender lets it out, one of the receiver's lets it in. What
 * cannot be told from here (prefix lists, IPv6, addresses that are not known) counts as allowed. Source: EC2 user guide,
 * "Security group rules": rules of all groups of an interface are taken together, and there are none that deny.
 */
export function mayReach(from: End, to: End, protocol: 'udp' | 'tcp', port: number): boolean {
  const passes = (rules: readonly IpPermission[] | undefined, other: End): boolean =>
    (rules ?? []).some((rule) => isAbout(rule, protocol, port) && names(rule, other))
  return (
    from.groups.some(({ IpPermissionsEgress }) => passes(IpPermissionsEgress, to)) &&
    to.groups.some(({ IpPermissions }) => passes(IpPermissions, from))
  )
}

const numbers = { tcp: '6', udp: '17' } as const

function isAbout(
  { IpProtocol, FromPort, ToPort }: IpPermission,
  protocol: 'udp' | 'tcp',
  port: number
): boolean {
  if (IpProtocol === '-1') return true
  if (IpProtocol !== protocol && IpProtocol !== numbers[protocol]) return false
  return (FromPort ?? 0) <= port && port <= (ToPort ?? 65_535)
}

function names(rule: IpPermission, { groups, addresses }: End): boolean {
  if ((rule.PrefixListIds ?? []).length > 0 || (rule.Ipv6Ranges ?? []).length > 0) return true
  if (rule.UserIdGroupPairs?.some((pair) => groups.some(({ GroupId }) => GroupId === pair.GroupId)) === true)
    return true
  const ranges = (rule.IpRanges ?? []).flatMap(({ CidrIp }) => CidrIp ?? [])
  return ranges.some(
    (range) => addresses.length === 0 || addresses.some((address) => overlap(range, address))
  )
}

/** Whether two blocks have an address in common: then one holds the first address of the other. */
function overlap(a: string, b: string): boolean {
  return holds(a, firstOf(b)) || holds(b, firstOf(a))
}

function firstOf(block: string): string {
  return block.split('/')[0] ?? ''
}

function holds(block: string, address: string): boolean {
  const [network = '', bits = '32'] = block.split('/')
  if (!isIPv4(network) || !isIPv4(address)) return false
  const list = new BlockList()
  list.addSubnet(network, Number(bits))
  return list.check(address)
}
