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
    expect(permissionChanges(from, to)).toMatchObject({ added, removed })
    expect(permissionChanges(to, from)).toMatchObject({ added: removed, removed: added })
  })

  it('says by statement what is gained and lost, and in which policy', () => {
    const { statements } = permissionChanges('1.11.1', '1.13.1')
    expect(statements).toEqual([
      {
        policy: 'KarpenterControllerZonalShiftPolicy',
        statement: 'AllowZonalShiftStatusReadOnly',
        change: 'added',
        gains: [
          'Effect: Allow',
          'Action: arc-zonal-shift:GetManagedResource',
          'Resource: *',
          `Condition StringEquals arc-zonal-shift:ResourceIdentifier: ${cluster}`
        ],
        loses: []
      },
      {
        policy: 'KarpenterControllerResourceDiscoveryPolicy',
        statement: 'AllowRegionalReadActions',
        change: 'changed',
        gains: ['Action: ec2:DescribeInstanceStatus'],
        loses: []
      }
    ])
  })

  it('takes a statement that only moved to another policy for none, and names the policies', () => {
    const { statements, policies } = permissionChanges('1.8.6', '1.9.3')
    expect(statements).toEqual([
      {
        policy: 'KarpenterControllerNodeLifecyclePolicy',
        statement: 'AllowScopedEC2InstanceActionsWithTags',
        change: 'changed',
        gains: [],
        loses: [`Resource: ${reservation}`]
      }
    ])
    expect(policies.removed).toEqual(['KarpenterControllerPolicy'])
    expect(policies.added).toHaveLength(5)
  })

  it('says what a condition that is new asks for, which no list of actions shows', () => {
    const { added, removed, statements } = permissionChanges('1.0.8', '1.1.1')
    expect(added).toEqual([])
    expect(removed).toEqual(['ec2:DescribeAvailabilityZones'])
    expect(statements).toContainEqual({
      policy: 'KarpenterControllerPolicy',
      statement: 'AllowPassingInstanceRole',
      change: 'changed',
      gains: ['Condition StringEquals iam:PassedToService: ec2.amazonaws.com.cn'],
      loses: []
    })
  })
})
