import type { Tag } from '../../../../sandbox/cloud/input.js'
import { launchPlan } from '../../../../sandbox/cloud/moto/ec2/plan.js'
import { ec2Questions, type QuestionSources } from '../../../../sandbox/cloud/moto/ec2/questions.js'
import { Records } from '../../../../sandbox/cloud/moto/ec2/records.js'
import type { AwsCall } from '../../../../sandbox/cloud/service.js'

const owned: readonly Tag[] = [{ Key: 'kubernetes.io/cluster/demo', Value: 'owned' }]
const specification = (...types: readonly string[]): unknown[] =>
  types.map((ResourceType) => ({ ResourceType, Tag: owned }))

function call(action: string, input: AwsCall['input']): AwsCall {
  return {
    service: 'ec2',
    action,
    region: 'cn-north-1',
    input,
    caller: { arn: '', accountId: '111122223333', userId: '', roleArn: '', expiresAt: 0 },
    http: { method: 'POST', path: '/', headers: {}, body: '' }
  }
}

function sources(): QuestionSources {
  const records = new Records()
  records.templates.push({
    id: 'lt-1',
    name: 'template',
    data: {
      ImageId: 'ami-1',
      SecurityGroupId: ['sg-1'],
      IamInstanceProfile: { Name: 'nodes' },
      TagSpecification: specification('network-interface')
    }
  })
  return {
    partition: 'aws-cn',
    urlSuffix: 'amazonaws.com.cn',
    tagsOf: async (_region, ids) => new Map(ids.map((id) => [id, id === 'sg-1' ? [] : owned])),
    vpcsOf: async () => new Map([['subnet-1', 'vpc-1']]),
    instanceProfile: (name) =>
      name === 'nodes'
        ? { arn: 'profile', name, roleArn: 'arn:aws-cn:iam::111122223333:role/node' }
        : undefined,
    plan: (asked) => launchPlan(asked, records),
    templateId: ({ input }) => records.template(input).id
  }
}

const fleet = {
  Type: 'instant',
  LaunchTemplateConfigs: [
    {
      LaunchTemplateSpecification: { LaunchTemplateName: 'template' },
      Overrides: [{ InstanceType: 'm5.large', SubnetId: 'subnet-1' }]
    }
  ],
  TargetCapacitySpecification: { TotalTargetCapacity: '1', DefaultTargetCapacityType: 'on-demand' },
  TagSpecification: specification('instance', 'volume', 'fleet')
}

/** `action resource`, without what every ARN begins with. */
async function asked(action: string, input: AwsCall['input']): Promise<readonly string[]> {
  const questions = await ec2Questions(call(action, input), sources())
  return questions.map(
    ({ action: one, resource }) => `${one} ${resource.replace(/^arn:aws-cn:ec2:cn-north-1:/, '')}`
  )
}

describe('what EC2 asks IAM', () => {
  it('a fleet: for all that it uses, all that it makes, their tags, and the role it passes', async () => {
    const used = [
      ':image/ami-1',
      '111122223333:security-group/sg-1',
      '111122223333:subnet/subnet-1',
      '111122223333:launch-template/lt-1'
    ]
    const made = ['111122223333:instance/*', '111122223333:volume/*', '111122223333:network-interface/*']
    expect(await asked('CreateFleet', fleet)).toEqual([
      ...[...used, '111122223333:fleet/*', ...made].map((resource) => `ec2:CreateFleet ${resource}`),
      ...[...used, ...made].map((resource) => `ec2:RunInstances ${resource}`),
      ...['111122223333:fleet/*', ...made].map((resource) => `ec2:CreateTags ${resource}`),
      'iam:PassRole arn:aws-cn:iam::111122223333:role/node'
    ])
  })

  it('a spot fleet: for its spot request too', async () => {
    const spot = { ...fleet, TargetCapacitySpecification: { DefaultTargetCapacityType: 'spot' } }
    expect(await asked('CreateFleet', spot)).toContain(
      'ec2:CreateFleet 111122223333:spot-instances-request/*'
    )
  })

  it('tags of the launch template as those of a resource, tags of the fleet as those of the request', async () => {
    const questions = await ec2Questions(call('CreateFleet', fleet), sources())
    const context = (resource: string): unknown =>
      questions.find(({ action, resource: one }) => action === 'ec2:CreateFleet' && one.endsWith(resource))
        ?.context
    expect(context('launch-template/lt-1')).toMatchObject({
      'aws:ResourceTag/kubernetes.io/cluster/demo': 'owned'
    })
    expect(context('instance/*')).toMatchObject({
      'aws:RequestTag/kubernetes.io/cluster/demo': 'owned',
      'aws:TagKeys': ['kubernetes.io/cluster/demo']
    })
    const tagging = questions.find(({ action }) => action === 'ec2:CreateTags')
    expect(tagging?.context).toMatchObject({ 'ec2:CreateAction': 'CreateFleet' })
    expect(questions.at(-1)?.context).toEqual({ 'iam:PassedToService': 'ec2.amazonaws.com.cn' })
  })

  it('an instance profile that is not there ends the call', async () => {
    const input = { ImageId: 'ami-1', IamInstanceProfile: { Name: 'gone' } }
    await expect(asked('RunInstances', input)).rejects.toMatchObject({ code: 'InvalidParameterValue' })
  })

  it('tagging and terminating: on each resource with its own tags', async () => {
    const questions = await ec2Questions(
      call('CreateTags', { ResourceId: ['i-1', 'subnet-1'], Tag: [{ Key: 'Name', Value: 'x' }] }),
      sources()
    )
    expect(questions).toMatchObject([
      {
        action: 'ec2:CreateTags',
        resource: 'arn:aws-cn:ec2:cn-north-1:111122223333:instance/i-1',
        context: {
          'aws:ResourceTag/kubernetes.io/cluster/demo': 'owned',
          'aws:RequestTag/Name': 'x',
          'aws:TagKeys': ['Name']
        }
      },
      {
        resource: 'arn:aws-cn:ec2:cn-north-1:111122223333:subnet/subnet-1',
        context: { 'ec2:Vpc': 'arn:aws-cn:ec2:cn-north-1:111122223333:vpc/vpc-1' }
      }
    ])
    expect(await asked('TerminateInstances', { InstanceId: ['i-1'] })).toEqual([
      'ec2:TerminateInstances 111122223333:instance/i-1'
    ])
  })

  it('a volume and an interface that are deleted: on themselves, with their tags', async () => {
    expect(await asked('DeleteVolume', { VolumeId: 'vol-1' })).toEqual([
      'ec2:DeleteVolume 111122223333:volume/vol-1'
    ])
    const [question] = await ec2Questions(
      call('DeleteNetworkInterface', { NetworkInterfaceId: 'eni-1' }),
      sources()
    )
    expect(question).toMatchObject({
      action: 'ec2:DeleteNetworkInterface',
      resource: 'arn:aws-cn:ec2:cn-north-1:111122223333:network-interface/eni-1',
      context: { 'aws:ResourceTag/kubernetes.io/cluster/demo': 'owned' }
    })
  })

  it('a launch template: on any of them when it is made, on itself when it is deleted', async () => {
    expect(
      await asked('CreateLaunchTemplate', { TagSpecification: specification('launch-template') })
    ).toEqual([
      'ec2:CreateLaunchTemplate 111122223333:launch-template/*',
      'ec2:CreateTags 111122223333:launch-template/*'
    ])
    expect(await asked('DeleteLaunchTemplate', { LaunchTemplateName: 'template' })).toEqual([
      'ec2:DeleteLaunchTemplate 111122223333:launch-template/lt-1'
    ])
    await expect(asked('DeleteLaunchTemplate', { LaunchTemplateName: 'other' })).rejects.toMatchObject({
      code: 'InvalidLaunchTemplateName.NotFoundException'
    })
  })

  it('a listing: on everything', async () => {
    expect(await asked('DescribeInstances', {})).toEqual(['ec2:DescribeInstances *'])
  })
})
