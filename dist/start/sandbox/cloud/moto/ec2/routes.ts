import { RawReply } from '../../service.js'
import { optionalText } from '../../input.js'
import { items, type MotoClient } from '../client.js'

const toNat = /(<natGatewayId>(nat-[^<]+)<\/natGatewayId>(?:(?!<\/item>)[\s\S])*?<state>)active(?=<\/state>)/g

/** moto leaves routes to a NAT gateway that was deleted active; in EC2 they are black holes. */
export async function withBlackholes(moto: MotoClient, region: string, reply: RawReply): Promise<RawReply> {
  if (reply.status >= 400 || !reply.body.includes('<natGatewayId>')) return reply
  const { natGatewaySet } = await moto.ec2Object(region, 'DescribeNatGateways', {})
  const available = new Set(
    items(natGatewaySet)
      .filter((gateway) => optionalText(gateway, 'state') === 'available')
      .map((gateway) => optionalText(gateway, 'natGatewayId'))
  )
  const body = reply.body.replace(toNat, (whole, before: string, id: string) =>
    available.has(id) ? whole : `${before}blackhole`
  )
  return new RawReply(reply.status, reply.headers, body)
}
