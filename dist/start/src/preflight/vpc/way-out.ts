import type { Route, RouteTable } from '@aws-sdk/client-ec2'
import { routeTableOf } from '../../aws/discover.js'

/** Where what runs in a subnet gets to beyond its VPC, as far as the route table says. */
export type WayOut =
  /** By NAT, transit gateway, firewall, VPN: what comes behind those cannot be seen from here. */
  | { readonly kind: 'routed' }
  /** To an internet gateway, which serves public addresses only. */
  | { readonly kind: 'internet-gateway'; readonly table: string; readonly gateway: string }
  | {
      readonly kind: 'none'
      readonly table: string
      /** Target of a default route that leads nowhere any more: it was deleted. */
      readonly blackhole: string | undefined
      /** There are routes to other networks, where endpoints or a proxy may be. */
      readonly elsewhere: boolean
    }

/** Source: Amazon VPC, route tables. Half of all addresses (0.0.0.0/1) counts as a default route: such come in pairs. */
export function wayOut(subnetId: string, tables: readonly RouteTable[]): WayOut {
  const table = routeTableOf(subnetId, tables)
  if (table === undefined) return { kind: 'routed' }
  const routes = (table.Routes ?? []).filter((route) => !isLocal(route))
  const active = routes.filter(({ State }) => State !== 'blackhole')
  const open = active.filter(isDefault)
  const id = table.RouteTableId ?? ''
  if (open.some((route) => route.GatewayId?.startsWith('igw-') !== true)) return { kind: 'routed' }
  const [first] = open
  if (first !== undefined) {
    return { kind: 'internet-gateway', table: id, gateway: first.GatewayId ?? '' }
  }
  const dead = routes.find((route) => route.State === 'blackhole' && isDefault(route))
  return {
    kind: 'none',
    table: id,
    blackhole: dead && targetOf(dead),
    elsewhere: active.length > 0
  }
}

/** What never leaves the VPC: its own addresses, and gateway endpoints (S3, DynamoDB). */
function isLocal({ GatewayId, DestinationPrefixListId }: Route): boolean {
  if (GatewayId === 'local') return true
  return DestinationPrefixListId !== undefined && GatewayId?.startsWith('vpce-') === true
}

function isDefault(route: Route): boolean {
  const { DestinationCidrBlock: block, DestinationIpv6CidrBlock: block6 } = route
  // What a prefix list of one's own has in it cannot be seen from here.
  if (route.DestinationPrefixListId !== undefined) return true
  if (block6 === '::/0') return route.EgressOnlyInternetGatewayId !== undefined
  return block?.endsWith('/0') === true || block?.endsWith('/1') === true
}

function targetOf(route: Route): string {
  return (
    route.NatGatewayId ??
    route.TransitGatewayId ??
    route.NetworkInterfaceId ??
    route.InstanceId ??
    route.VpcPeeringConnectionId ??
    route.GatewayId ??
    'a target'
  )
}
