import { permissionChanges } from '../../src/karpenter/permission-changes.js'

const ec2 = (kind: string): string => `arn:\${AWS::Partition}:ec2:\${AWS::Region}:*:${kind}/*`
const reservation = ec2('capacity-reservation')
const cluster = 'arn:${AWS::Partition}:eks:${AWS::Region}:${AWS::AccountId}:cluster/${ClusterName}'

describe('permissionChanges', () => {
  it.each([
    ['1.0.8', '1.1.1', [], ['ec2:DescribeAvailabilityZones']],
    ['1.1.1', '1.2.1', [], []],
    [
      '1.2.1',
      '1.3.0',
      [
        `ec2:CreateFleet on ${reservation}`,
        `ec2:CreateLaunchTemplate on ${reservation}`,
        'ec2:DescribeCapacityReservations',
        `ec2:RunInstances on ${reservation}`
      ],
      []
    ],
    ['1.6.2', '1.7.0', ['iam:ListInstanceProfiles'], []],
    ['1.8.6', '1.9.3', [], [`ec2:CreateLaunchTemplate on ${reservation}`]],
    ['1.9.3', '1.10.0', [], []],
    [
      '1.10.0',
      '1.11.1',
      [
        `ec2:CreateFleet on ${ec2('placement-group')}`,
        'ec2:DescribePlacementGroups',
        `ec2:RunInstances on ${ec2('placement-group')}`
      ],
      []
    ],
    ['1.11.1', '1.12.0', ['arc-zonal-shift:GetManagedResource', 'ec2:DescribeInstanceStatus'], []],
    [
      '1.12.0',
      '1.13.1',
      ['arc-zonal-shift:GetManagedResource on *'],
      [`arc-zonal-shift:GetManagedResource on ${cluster}`]
    ],
    ['1.13.1', '1.14.1', [], []]
  ])('from %s to %s', (from, to, added, removed) => {
    expect(permissionChanges(from, to)).toEqual({ added, removed })
    expect(permissionChanges(to, from)).toEqual({ added: removed, removed: added })
  })
})
