import { items } from '../cloud/moto/client.js'
import type { MotoServices } from '../cloud/moto/index.js'
import type { PodNetwork } from '../nodes/init-container.js'
import { text } from '../values.js'

/**
 * What pods on an instance reach, by the rules of the security groups as EC2 has them. CoreDNS runs on the instances of node
 * groups, and its service picks one of them: each must let it in. Without an instance the pod is Fargate's, which has the
 * cluster's own group.
 */
export async function podNetwork(
  moto: MotoServices,
  clusterSecurityGroup: string,
  instanceId: string | undefined
): Promise<PodNetwork> {
  const instances = await moto.instances()
  const running = instances.filter(({ state }) => state === 'running' || state === 'pending')
  const groups = running.find(({ id }) => id === instanceId)?.securityGroups ?? [clusterSecurityGroup]
  const hosts = running.filter(({ tags }) => tags['eks:nodegroup-name'] !== undefined)
  const described = await moto.ec2('DescribeSecurityGroups', {})
  const rules = new Map(
    items(described['securityGroupInfo']).map((group) => [text(group['groupId']) ?? '', group])
  )
  const lets = (from: readonly string[], to: readonly string[], protocol: string, port: number): boolean =>
    from.some((id) => passes(rules.get(id), 'ipPermissionsEgress', to, protocol, port)) &&
    to.some((id) => passes(rules.get(id), 'ipPermissions', from, protocol, port))
  return {
    dns: (hosts.length === 0
      ? [[clusterSecurityGroup]]
      : hosts.map(({ securityGroups }) => securityGroups)
    ).every((to) => lets(groups, to, 'udp', 53)),
    api: lets(groups, [clusterSecurityGroup], 'tcp', 443)
  }
}

function passes(
  group: Readonly<Record<string, unknown>> | undefined,
  direction: 'ipPermissions' | 'ipPermissionsEgress',
  others: readonly string[],
  protocol: string,
  port: number
): boolean {
  return items(group?.[direction]).some((rule) => {
    const kind = text(rule['ipProtocol'])
    const first = Number(text(rule['fromPort']) ?? '0')
    const last = Number(text(rule['toPort']) ?? '65535')
    if (kind !== '-1' && !(kind === protocol && first <= port && port <= last)) return false
    // The sandbox's scenes have one block that is not a group's: all addresses.
    const anywhere = items(rule['ipRanges']).some(({ cidrIp }) => text(cidrIp) === '0.0.0.0/0')
    return anywhere || items(rule['groups']).some(({ groupId }) => others.includes(text(groupId) ?? ''))
  })
}
