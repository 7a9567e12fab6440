import type { Cluster } from '../../aws/environment.js'
import type { RouteTable, VpcEndpoint } from '@aws-sdk/client-ec2'
import { isPublic, type Subnet } from '../../aws/discover.js'
import { field, type Manifest } from '../../kubernetes/manifest.js'
import { clusterTags } from './cluster-tags.js'
import type { Read } from '../reads/denied-read.js'
import type { Facts } from '../facts.js'
import { type Concern, leftToInstall } from '../finding.js'
import { isolatedVpc } from './isolated-vpc.js'
import { alsoTagged } from './also-tagged.js'
import { endpointsOf, neededEndpoints } from './vpc-endpoints.js'
import { wayOut, type WayOut } from './way-out.js'

type NetworkFacts = Pick<
  Facts,
  | 'clusterName'
  | 'region'
  | 'subnets'
  | 'everySubnet'
  | 'securityGroups'
  | 'nodeClasses'
  | 'values'
  | 'identity'
  | 'queueName'
  | 'changes'
  | 'routeTables'
  | 'endpoints'
  | 'taggedSubnets'
  | 'taggedSecurityGroups'
> & { readonly cluster: Pick<Cluster, 'vpcId'> }

/**
 * Whether nodes in the subnets would reach what they need to join: the internet, or endpoints of AWS's services in the VPC;
 * and what load balancer controllers and other clusters read from the tags of subnets and security groups.
 */
export async function network(facts: NetworkFacts): Promise<readonly Concern[]> {
  if (!(await facts.changes())) return clusterTags(facts)
  const { vpcId } = facts.cluster
  const [tables, endpoints, subnets, groups] = await Promise.all([
    facts.routeTables(),
    facts.endpoints(),
    facts.taggedSubnets(),
    facts.taggedSecurityGroups()
  ])
  // Karpenter finds by tag, and so what somebody else has tagged too.
  const more = {
    subnets: others(facts.subnets, subnets),
    securityGroups: others(facts.securityGroups, groups)
  }
  const inVpc = <T extends { readonly vpcId: string }>(things: readonly T[]): readonly T[] =>
    things.filter((one) => one.vpcId === vpcId)
  const taken: NetworkFacts = {
    ...facts,
    subnets: [...facts.subnets, ...inVpc(more.subnets)],
    securityGroups: [...facts.securityGroups, ...inVpc(more.securityGroups)]
  }
  return [
    ...notRead([tables, endpoints, subnets, groups]),
    ...alsoTagged({ clusterName: facts.clusterName, vpcId }, more),
    ...(tables.state === 'read' ? publicOnes(facts, tables.items) : []),
    ...(tables.state === 'read' ? routes(taken, tables.items, endpoints) : []),
    ...clusterTags(taken)
  ]
}

/** The guide takes all subnets of the cluster, and nodes in those that are public too: whoever did not choose it is told. */
function publicOnes({ everySubnet, subnets }: NetworkFacts, tables: readonly RouteTable[]): Concern[] {
  const open = subnets.filter(({ id }) => isPublic(id, tables)).map(({ id }) => id)
  if (!everySubnet || open.length === 0) return []
  const rest = open.length === subnets.length
  return [
    {
      level: 'note',
      subject: 'subnets',
      problem: `${open.join(', ')} ${open.length === 1 ? 'is' : 'are'} public, and nodes run there as well: the route table leads to an internet gateway`,
      evidence: '',
      fix: rest
        ? 'None of the cluster is private: pass ids of others to have nodes elsewhere.'
        : 'Pass `subnets: private` to leave such out.'
    }
  ]
}

function others<T extends { readonly id: string }>(known: readonly T[], found: Read<T>): readonly T[] {
  if (found.state === 'denied') return []
  return found.items.filter(({ id }) => !known.some((one) => one.id === id))
}

function notRead(reads: readonly Read<unknown>[]): Concern[] {
  const actions = [...new Set(reads.flatMap((read) => (read.state === 'denied' ? read.action : [])))]
  if (actions.length === 0) return []
  return [
    {
      level: 'note',
      subject: 'subnets',
      problem: `whether nodes in them reach AWS's services could not be seen: the run's role may not call ${actions.join(', ')}`,
      evidence: '',
      fix: leftToInstall
    }
  ]
}

/** A subnet without a way out of its own, and the endpoints that would make up for it. */
interface Stuck {
  readonly subnet: Subnet
  readonly way: Exclude<WayOut, { readonly kind: 'routed' }>
  readonly missing: readonly string[]
  readonly unnamed: readonly string[]
}

function routes(
  facts: NetworkFacts,
  tables: readonly RouteTable[],
  endpoints: Read<VpcEndpoint>
): readonly Concern[] {
  const ways = facts.subnets.map((subnet) => ({ subnet, way: wayOut(subnet.id, tables) }))
  const needed = neededEndpoints(facts)
  const closed = ways.flatMap(({ subnet, way }): readonly Stuck[] => {
    if (way.kind === 'routed' || (way.kind === 'internet-gateway' && givesAddress(subnet, facts.nodeClasses)))
      return []
    const served =
      endpoints.state === 'read'
        ? endpointsOf(way.table, facts.region, endpoints.items, needed)
        : { missing: needed, unnamed: [] }
    return [{ subnet, way, ...served }]
  })
  const isolated = ways.length > 0 && ways.every(({ way }) => way.kind === 'none')
  return [
    ...noWayOut(facts, closed, endpoints.state === 'read'),
    ...unnamedEndpoints(closed),
    ...(isolated ? isolatedVpc(facts) : [])
  ]
}

/** Source: EC2NodeClass v1, spec.associatePublicIPAddress: left out, the subnet decides. */
function givesAddress(subnet: Subnet, nodeClasses: readonly Manifest[]): boolean {
  if (nodeClasses.length === 0) return subnet.publicAddresses
  return nodeClasses.every(
    (nodeClass) => (field(nodeClass, 'spec', 'associatePublicIPAddress') ?? subnet.publicAddresses) === true
  )
}

function noWayOut({ subnets }: NetworkFacts, closed: readonly Stuck[], endpointsRead: boolean): Concern[] {
  const stuck = closed.filter(({ missing }) => missing.length > 0)
  if (stuck.length === 0) return []
  const ids = stuck.map(({ subnet }) => subnet.id)
  const good = subnets.filter(({ id }) => !ids.includes(id)).map(({ id }) => id)
  // Routes to other networks may lead to endpoints or a proxy there, and endpoints that were not read may be there.
  const sure = endpointsRead && stuck.every(({ way }) => way.kind !== 'none' || !way.elsewhere)
  const refuses = sure && good.length === 0
  const byMissing = Map.groupBy(stuck, ({ missing }) => missing.join(', '))
  const lacking = [...byMissing].map(([services, those]) =>
    byMissing.size === 1 ? services : `${services} (for ${those.map(({ subnet }) => subnet.id).join(', ')})`
  )
  const unaddressed = stuck.filter(({ way }) => way.kind === 'internet-gateway')
  return [
    {
      level: refuses ? 'error' : 'warning',
      subject: 'subnets',
      problem: `nodes in ${ids.join(', ')} ${sure ? 'have' : 'may have'} no way to AWS's services, and would not join: no usable route to the internet, and no VPC endpoints${endpointsRead ? '' : ' that could be seen'} for ${lacking.join('; ')}`,
      evidence: stuck.map(because).join('; '),
      fix: [
        ...(good.length === 0 ? [] : [`Pass \`subnets: ${good.join(',')}\`.`]),
        ...(unaddressed.length === 0
          ? []
          : [
              `Give nodes public addresses (associatePublicIPAddress: true in the EC2NodeClass, or ${unaddressed
                .map(
                  ({ subnet }) =>
                    `aws ec2 modify-subnet-attribute --subnet-id ${subnet.id} --map-public-ip-on-launch`
                )
                .join('; ')}).`
            ]),
        'Route 0.0.0.0/0 to a NAT gateway, or make the missing endpoints.'
      ].join(' Or: '),
      ...(refuses && { override: 'subnet-routes' })
    }
  ]
}

function because({ subnet, way }: Stuck): string {
  if (way.kind === 'internet-gateway')
    return `${subnet.id}: ${way.table} leads to ${way.gateway}, and nodes get no public address`
  if (way.blackhole !== undefined)
    return `${subnet.id}: ${way.table} leads to ${way.blackhole}, which is gone (blackhole)`
  return `${subnet.id}: ${way.table} has no route to 0.0.0.0/0`
}

function unnamedEndpoints(closed: readonly Stuck[]): Concern[] {
  const unnamed = [...new Set(closed.flatMap((one) => one.unnamed))]
  if (unnamed.length === 0) return []
  return [
    {
      level: 'warning',
      subject: 'subnets',
      problem: `endpoints of the VPC have private DNS off, so nodes in ${closed.map(({ subnet }) => subnet.id).join(', ')} do not find AWS's services by their names`,
      evidence: unnamed.join(', '),
      fix: 'Turn it on (aws ec2 modify-vpc-endpoint --private-dns-enabled --vpc-endpoint-id ...); a private hosted zone of your own that leads there does as well.'
    }
  ]
}
