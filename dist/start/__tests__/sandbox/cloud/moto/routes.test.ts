import { createServer } from 'node:http'
import { listen } from '../../../../sandbox/listen.js'
import { MotoClient } from '../../../../sandbox/cloud/moto/client.js'
import { withBlackholes } from '../../../../sandbox/cloud/moto/ec2/routes.js'
import { RawReply } from '../../../../sandbox/cloud/service.js'

const item = (gateway: string, state: string): string =>
  `<item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock>${gateway}<state>${state}</state></item>`
const nat = (id: string): string => `<natGatewayId>${id}</natGatewayId>`

test('routes to a NAT gateway that is gone are black holes, and no others', async () => {
  const answer = `<DescribeNatGatewaysResponse><natGatewaySet>
    <item>${nat('nat-1')}<state>available</state></item><item>${nat('nat-2')}<state>deleted</state></item>
  </natGatewaySet></DescribeNatGatewaysResponse>`
  const moto = await listen(createServer((_request, response) => response.end(answer)))
  const client = new MotoClient(`http://127.0.0.1:${moto.port}`)
  try {
    const routes = [nat('nat-1'), nat('nat-2'), nat('nat-3'), '<gatewayId>igw-1</gatewayId>']
    const body = routes.map((gateway) => item(gateway, 'active')).join('')
    const reply = await withBlackholes(client, 'eu-west-1', new RawReply(200, {}, body))
    const states = ['active', 'blackhole', 'blackhole', 'active']
    expect(reply.body).toBe(routes.map((gateway, index) => item(gateway, states[index] ?? '')).join(''))
  } finally {
    client.close()
    await moto.close()
  }
})
