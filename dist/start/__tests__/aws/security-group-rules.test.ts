import type { IpPermission, SecurityGroup } from '@aws-sdk/client-ec2'
import { type End, mayReach } from '../../src/aws/security-group-rules.js'

const anywhere: IpPermission = { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }

function end(id: string, ingress: readonly IpPermission[], more: Partial<SecurityGroup> = {}): End {
  return {
    groups: [{ GroupId: id, IpPermissions: [...ingress], IpPermissionsEgress: [anywhere], ...more }],
    addresses: ['10.0.64.0/19']
  }
}

const sender = end('sg-a', [])

describe('mayReach', () => {
  test.each<[string, boolean, IpPermission[]]>([
    ['no rule', false, []],
    ['all of the group', true, [{ IpProtocol: '-1', UserIdGroupPairs: [{ GroupId: 'sg-a' }] }]],
    ['all of another group', false, [{ IpProtocol: '-1', UserIdGroupPairs: [{ GroupId: 'sg-c' }] }]],
    [
      'the port',
      true,
      [{ IpProtocol: 'udp', FromPort: 53, ToPort: 53, UserIdGroupPairs: [{ GroupId: 'sg-a' }] }]
    ],
    [
      'the protocol by number',
      true,
      [{ IpProtocol: '17', FromPort: 0, ToPort: 65_535, UserIdGroupPairs: [{ GroupId: 'sg-a' }] }]
    ],
    [
      'the port of the other protocol',
      false,
      [{ IpProtocol: 'tcp', FromPort: 53, ToPort: 53, UserIdGroupPairs: [{ GroupId: 'sg-a' }] }]
    ],
    [
      'other ports',
      false,
      [{ IpProtocol: 'udp', FromPort: 54, ToPort: 65_535, UserIdGroupPairs: [{ GroupId: 'sg-a' }] }]
    ],
    ['a block that holds the sender', true, [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '10.0.0.0/16' }] }]],
    ['a block within it', true, [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '10.0.65.0/24' }] }]],
    ['a block elsewhere', false, [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '10.1.0.0/16' }] }]],
    [
      'a prefix list, which cannot be told',
      true,
      [{ IpProtocol: '-1', PrefixListIds: [{ PrefixListId: 'pl-1' }] }]
    ],
    ['IPv6, which cannot be told', true, [{ IpProtocol: '-1', Ipv6Ranges: [{ CidrIpv6: '::/0' }] }]]
  ])('with %s: %s', (_, expected, ingress) => {
    expect(mayReach(sender, end('sg-b', ingress), 'udp', 53)).toBe(expected)
  })

  test('not where nothing lets it out', () => {
    const open = end('sg-b', [anywhere])
    expect(mayReach(end('sg-a', [], { IpPermissionsEgress: [] }), open, 'udp', 53)).toBe(false)
    expect(mayReach(sender, open, 'udp', 53)).toBe(true)
  })

  test('by a block where addresses are not known', () => {
    const receiver = end('sg-b', [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '192.168.0.0/16' }] }])
    expect(mayReach({ ...sender, addresses: [] }, receiver, 'udp', 53)).toBe(true)
  })
})
