import { createServer } from 'node:http'
import { MotoClient } from '../../../../sandbox/cloud/moto/client.js'
import { subnetFacts } from '../../../../sandbox/cloud/moto/ec2/subnet-facts.js'
import { listen } from '../../../../sandbox/listen.js'

const subnets = `<item><subnetId>one</subnetId><vpcId>vpc-1</vpcId><availabilityZone>eu-west-1a</availabilityZone>
  <cidrBlock>10.0.0.0/19</cidrBlock></item>`
const route = (gateway: string) => `<routeSet><item><gatewayId>local</gatewayId></item>
  <item><gatewayId>${gateway}</gatewayId></item></routeSet>`
const table = (association: string, routes: string) =>
  `<item><associationSet><item>${association}</item></associationSet>${routes}</item>`
const main = '<main>true</main>'
const own = '<main>false</main><subnetId>one</subnetId>'

async function factsWith(subnetSet: string, routeTableSet: string): ReturnType<typeof subnetFacts> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const action = new URLSearchParams(body).get('Action') ?? ''
      const set = action === 'DescribeSubnets' ? 'subnetSet' : 'routeTableSet'
      const items = action === 'DescribeSubnets' ? subnetSet : routeTableSet
      response.end(`<${action}Response><${set}>${items}</${set}></${action}Response>`)
    })
  })
  const { port, close } = await listen(server)
  const moto = new MotoClient(`http://127.0.0.1:${port}`)
  try {
    return await subnetFacts(moto, 'eu-west-1', 'one')
  } finally {
    moto.close()
    await close()
  }
}

describe('a subnet', () => {
  it('is public by a route to an internet gateway in its own route table', async () => {
    const tables = table(main, route('nat-1')) + table(own, route('igw-1'))
    expect(await factsWith(subnets, tables)).toEqual({
      vpcId: 'vpc-1',
      zone: 'eu-west-1a',
      cidr: '10.0.0.0/19',
      public: true
    })
  })

  it("follows its own table and not the VPC's main one, which it follows when it has none", async () => {
    const ownTable = table(own, route('vgw-1'))
    expect((await factsWith(subnets, table(main, route('igw-1')) + ownTable))?.public).toBe(false)
    expect((await factsWith(subnets, table(main, route('igw-1'))))?.public).toBe(true)
  })

  it('that is not there is undefined', async () => {
    expect(await factsWith('', '')).toBeUndefined()
  })
})
