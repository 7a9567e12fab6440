import {
  anyImage,
  instanceProfile,
  nodeRole,
  subnetsByTerm
} from '../../../src/preflight/reads/node-class-reads.js'
import { describedTypes, offeredTypes } from '../../../src/preflight/reads/instance-type-reads.js'
import { awsWith, type Handlers, Refusal } from '../../aws/stand-in.js'

type Opened = Awaited<ReturnType<typeof awsWith>>
const opened: Opened[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})
async function open(handlers: Handlers): Promise<Opened> {
  const made = await awsWith(handlers)
  opened.push(made)
  return made
}

const refuse = (code: string) => (): never => {
  throw new Refusal(code, `User: x is not authorized to perform: it`, 403)
}
const missing = (): never => {
  throw new Refusal('NoSuchEntity', 'cannot be found', 404)
}

describe('roles and instance profiles', () => {
  const trust = (service: string): string =>
    encodeURIComponent(JSON.stringify({ Statement: [{ Principal: { Service: [service] } }] }))

  it('tells whether EC2 may take a role, in China too', async () => {
    const services = ['ec2.amazonaws.com', 'ec2.amazonaws.com.cn', 'eks.amazonaws.com']
    const role = { Arn: 'arn', RoleName: 'r', AssumeRolePolicyDocument: '' }
    const { aws } = await open({
      GetRole: () => ({ Role: { ...role, AssumeRolePolicyDocument: trust(services.shift() ?? '') } })
    })
    const read = nodeRole(aws)
    expect([await read('r'), await read('r'), await read('r')]).toEqual([
      { arn: 'arn', ofEc2: true, ofCloudFormation: false },
      { arn: 'arn', ofEc2: true, ofCloudFormation: false },
      { arn: 'arn', ofEc2: false, ofCloudFormation: false }
    ])
  })

  it('tells what is not there from what may not be read', async () => {
    const absent = await open({ GetRole: missing, GetInstanceProfile: missing })
    expect(await nodeRole(absent.aws)('r')).toBe('absent')
    expect(await instanceProfile(absent.aws)('p')).toBe('absent')
    const denied = await open({ GetRole: refuse('AccessDenied'), GetInstanceProfile: refuse('AccessDenied') })
    expect(await nodeRole(denied.aws)('r')).toBe('denied')
    expect(await instanceProfile(denied.aws)('p')).toBe('denied')
  })

  it('finds the role of a profile', async () => {
    const profiles = [[{ Arn: 'arn' }], []]
    const { aws } = await open({
      GetInstanceProfile: () => ({ InstanceProfile: { Roles: profiles.shift() } })
    })
    expect(await instanceProfile(aws)('p')).toEqual({ roleArn: 'arn' })
    expect(await instanceProfile(aws)('p')).toEqual({ roleArn: undefined })
  })
})

describe('images', () => {
  it('are asked for as Karpenter asks: by name those of this account and of Amazon', async () => {
    const { aws, server } = await open({ DescribeImages: () => ({ imagesSet: [{ imageId: 'ami-1' }] }) })
    const read = anyImage(aws)
    expect(await read({ id: 'ami-1' })).toBe(true)
    await read({ name: 'golden-*', tags: { team: '*' } })
    await read({ tags: { team: 'data' }, owner: '999988887777' })
    const text = server.inputs.map((input) => JSON.stringify(input))
    expect(text[0]).toContain('image-id')
    expect(text[0]).not.toContain('Owner')
    expect(text[1]).toMatch(/golden-\*.*tag-key.*self.*amazon|self.*amazon.*golden-\*/)
    expect(text[2]).toContain('999988887777')
  })

  it('may be none, malformed, or not for this role to read', async () => {
    const none = await open({ DescribeImages: () => ({ imagesSet: [] }) })
    expect(await anyImage(none.aws)({ id: 'ami-1' })).toBe(false)
    const malformed = await open({ DescribeImages: refuse('InvalidAMIID.Malformed') })
    expect(await anyImage(malformed.aws)({ id: 'ami-x' })).toBe(false)
    const denied = await open({ DescribeImages: refuse('UnauthorizedOperation') })
    expect(await anyImage(denied.aws)({ id: 'ami-1' })).toBe('denied')
  })
})

describe('zones and instance types', () => {
  it('subnets that a term finds, with their zones', async () => {
    const { aws } = await open({
      DescribeSubnets: () => ({
        subnetSet: [{ subnetId: 'subnet-1', availabilityZone: 'eu-west-1a', availabilityZoneId: 'euw1-az1' }]
      })
    })
    expect(await subnetsByTerm(aws)({ id: 'subnet-1' })).toEqual([
      { id: 'subnet-1', zone: { name: 'eu-west-1a', id: 'euw1-az1' } }
    ])
  })

  it('types that are offered, each once and in their order, and what EC2 says of them', async () => {
    const { aws } = await open({
      DescribeInstanceTypeOfferings: () => ({
        instanceTypeOfferingSet: [
          { instanceType: 'm5.large' },
          { instanceType: 'm5.large' },
          { instanceType: 'c5.large' }
        ]
      }),
      DescribeInstanceTypes: () => ({ instanceTypeSet: [{ instanceType: 'm5.large' }] })
    })
    expect(await offeredTypes(aws)(['a'], ['m*'])).toEqual(['c5.large', 'm5.large'])
    expect(await describedTypes(aws)(['m5.large'])).toMatchObject([{ InstanceType: 'm5.large' }])
  })

  it('a denial is no answer', async () => {
    const unauthorized = refuse('UnauthorizedOperation')
    const { aws } = await open({
      DescribeInstanceTypeOfferings: unauthorized,
      DescribeInstanceTypes: unauthorized
    })
    expect(await offeredTypes(aws)(['a'], [])).toBe('denied')
    expect(await describedTypes(aws)(['m5.large'])).toBe('denied')
  })
})
