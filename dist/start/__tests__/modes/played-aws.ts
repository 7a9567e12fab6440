import { cloudFormation } from '../../sandbox/cloud/cloudformation/index.js'
import { type Cloud, startCloud } from '../../sandbox/cloud/index.js'
import type { ClusterSpec } from '../../sandbox/cloud/eks/state.js'
import { isRecord, list, optionalText, texts, textMap, type Input } from '../../sandbox/cloud/input.js'
import { ec2Reply } from '../../sandbox/cloud/moto/ec2/xml.js'
import { ssm } from '../../sandbox/cloud/moto/ssm.js'
import { AwsError, type AwsCall, type Service } from '../../sandbox/cloud/service.js'
import { account } from '../aws/stand-in.js'

/** What of EC2, SQS and EventBridge a run of the action touches, in memory. */
export class PlayedAws {
  /** Tags by id of subnet or security group. */
  readonly tags = new Map<string, Map<string, string>>([
    ['subnet-1', new Map()],
    ['subnet-2', new Map()],
    ['sg-1', new Map([['kubernetes.io/cluster/blue', 'owned']])]
  ])
  /** Tags that are deleted show all the same: somebody puts them back, or reads lag behind. */
  tagsStay = false
  /** State by instance id. */
  readonly instances = new Map<string, string>()
  /** Ids of security groups by instance id. */
  readonly groupsOf = new Map<string, readonly string[]>()
  /** Attributes by queue name. */
  readonly queues = new Map<string, Record<string, string>>()
  readonly rules = new Map<string, { readonly rule: Input; targets: readonly unknown[] }>()

  discoveryTags(): Record<string, string | undefined> {
    return Object.fromEntries([...this.tags].map(([id, tags]) => [id, tags.get('karpenter.sh/discovery')]))
  }

  readonly ec2 = this.#service('ec2', 'ec2', (call) => {
    const { action, input } = call
    switch (action) {
      case 'DescribeSubnets':
        return ec2Reply(action, { subnetSet: this.#subnets(input) })
      case 'DescribeSecurityGroups':
        return ec2Reply(action, { securityGroupInfo: this.#securityGroups(input) })
      case 'DescribeRouteTables':
        return ec2Reply(action, {
          routeTableSet: [
            {
              routeTableId: 'rtb-1',
              vpcId: 'vpc-1',
              associationSet: [{ main: true }],
              routeSet: [{ destinationCidrBlock: '0.0.0.0/0', natGatewayId: 'nat-1', state: 'active' }]
            }
          ]
        })
      case 'CreateTags':
        for (const id of texts(input, 'ResourceId'))
          for (const { key, value } of pairs(input)) this.#tagsOf(id).set(key, value)
        return ec2Reply(action, { return: true })
      case 'DeleteTags':
        for (const id of texts(input, 'ResourceId'))
          for (const { key } of pairs(input)) if (!this.tagsStay) this.#tagsOf(id).delete(key)
        return ec2Reply(action, { return: true })
      case 'DescribeInstances':
        return ec2Reply(action, {
          reservationSet: [...texts(input, 'InstanceId'), ...this.#known(input)].map((id) => ({
            instancesSet: [
              {
                instanceId: id,
                instanceState: { name: this.instances.get(id) ?? 'terminated' },
                groupSet: (this.groupsOf.get(id) ?? []).map((groupId) => ({ groupId }))
              }
            ]
          }))
        })
      default:
        if (action.startsWith('Describe')) return ec2Reply(action, {})
        throw new AwsError('InvalidAction', `EC2 is not played for ${action}`)
    }
  })

  readonly sqs = this.#service('sqs', 'json', ({ action, input }) => {
    const name = optionalText(input, 'QueueName') ?? optionalText(input, 'QueueUrl')?.split('/').at(-1) ?? ''
    const url = `https://sqs.${account.region}.amazonaws.com/${account.id}/${name}`
    if (action === 'CreateQueue') {
      const arn = `arn:aws:sqs:${account.region}:${account.id}:${name}`
      this.queues.set(name, { ...queueDefaults, ...textMap(input, 'Attributes'), QueueArn: arn })
      return { QueueUrl: url }
    }
    const queue = this.queues.get(name)
    if (queue === undefined) throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.')
    switch (action) {
      case 'GetQueueUrl':
        return { QueueUrl: url }
      case 'GetQueueAttributes':
        return { Attributes: queue }
      case 'SetQueueAttributes':
        Object.assign(queue, textMap(input, 'Attributes'))
        return {}
      case 'DeleteQueue':
        this.queues.delete(name)
        return {}
      default:
        return {}
    }
  })

  readonly events = this.#service('events', 'json', ({ action, input }) => {
    const name = optionalText(input, 'Name') ?? optionalText(input, 'Rule') ?? ''
    const arn = `arn:aws:events:${account.region}:${account.id}:rule/${name}`
    if (action === 'ListRules') {
      const prefix = optionalText(input, 'NamePrefix') ?? ''
      return { Rules: [...this.rules].filter(([one]) => one.startsWith(prefix)).map(([, { rule }]) => rule) }
    }
    if (action === 'PutRule') {
      const targets = this.rules.get(name)?.targets ?? []
      const shown = Object.fromEntries(Object.entries(input).filter(([member]) => member !== 'Tags'))
      this.rules.set(name, { rule: { State: 'ENABLED', ...shown, Arn: arn }, targets })
      return { RuleArn: arn }
    }
    if (action === 'TagResource') return {}
    const rule = this.rules.get(name)
    if (rule === undefined)
      throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus default.`)
    switch (action) {
      case 'DescribeRule':
        return rule.rule
      case 'ListTargetsByRule':
        return { Targets: rule.targets }
      case 'PutTargets':
        rule.targets = list(input, 'Targets')
        return { FailedEntryCount: 0, FailedEntries: [] }
      case 'RemoveTargets': {
        const ids = texts(input, 'Ids')
        rule.targets = rule.targets.filter(
          (one) => !(isRecord(one) && ids.includes(optionalText(one, 'Id') ?? ''))
        )
        return { FailedEntryCount: 0, FailedEntries: [] }
      }
      case 'DeleteRule':
        this.rules.delete(name)
        return {}
      default:
        throw new AwsError('InvalidAction', `EventBridge is not played for ${action}`)
    }
  })

  /** Whoever asks may: what a role lacks is a test's to say, by faults. */
  #service(
    name: string,
    protocol: Service['protocol'],
    answer: (call: AwsCall) => Awaited<ReturnType<Service['answer']>>
  ): Service {
    return { name, protocol, questions: async () => [], answer: async (call) => answer(call) }
  }

  #tagsOf(id: string): Map<string, string> {
    const tags = this.tags.get(id) ?? new Map<string, string>()
    this.tags.set(id, tags)
    return tags
  }

  #subnets(input: Input): readonly Input[] {
    return [...this.tags.keys()]
      .filter((id) => id.startsWith('subnet-'))
      .map((subnetId, index) => ({
        subnetId,
        vpcId: 'vpc-1',
        availabilityZone: `eu-west-1${index === 0 ? 'a' : 'b'}`,
        availabilityZoneId: `euw1-az${index + 1}`,
        availableIpAddressCount: 200,
        tagSet: this.#tagSet(subnetId)
      }))
      .filter(({ subnetId, tagSet }) => isAskedFor(input, 'SubnetId', subnetId, tagSet))
  }

  #securityGroups(input: Input): readonly Input[] {
    return [...this.tags.keys()]
      .filter((id) => id.startsWith('sg-'))
      .map((groupId) => ({
        groupId,
        groupName: 'eks-cluster-sg-blue',
        vpcId: 'vpc-1',
        tagSet: this.#tagSet(groupId)
      }))
      .filter(({ groupId, tagSet }) => isAskedFor(input, 'GroupId', groupId, tagSet))
  }

  /** Of the instances that a filter asks for those whose security groups are said. */
  #known(input: Input): readonly string[] {
    const asked = list(input, 'Filter')
      .filter(isRecord)
      .flatMap((filter) => (filter['Name'] === 'instance-id' ? texts(filter, 'Value') : []))
    return asked.filter((id) => this.groupsOf.has(id))
  }

  #tagSet(id: string): readonly { readonly key: string; readonly value: string }[] {
    return [...this.#tagsOf(id)].map(([key, value]) => ({ key, value }))
  }
}

/** As SQS answers of a queue that says nothing of them. */
const queueDefaults = { DelaySeconds: '0', VisibilityTimeout: '30', MaximumMessageSize: '1048576' }

function pairs(input: Input): readonly { readonly key: string; readonly value: string }[] {
  return list(input, 'Tag')
    .filter(isRecord)
    .map((tag) => ({ key: optionalText(tag, 'Key') ?? '', value: optionalText(tag, 'Value') ?? '' }))
}

/** By ids, and by filters of ids and tags; every other filter fits. */
function isAskedFor(
  input: Input,
  member: string,
  id: string,
  tags: readonly { readonly key: string; readonly value: string }[]
): boolean {
  const ids = texts(input, member)
  if (ids.length > 0 && !ids.includes(id)) return false
  return list(input, 'Filter')
    .filter(isRecord)
    .every((filter) => {
      const [values, name] = [texts(filter, 'Value'), optionalText(filter, 'Name') ?? '']
      if (name === 'subnet-id' || name === 'group-id') return values.includes(id)
      if (name === 'tag-key') return tags.some(({ key }) => values.includes(key))
      if (!name.startsWith('tag:')) return true
      return tags.some(({ key, value }) => `tag:${key}` === name && values.includes(value))
    })
}

/** What of cluster blue is otherwise than the played one's. */
export type PlayedClusterOptions = Partial<ClusterSpec>

/** The sandbox's IAM, STS, EKS and CloudFormation with cluster blue, and the played services beside them. */
export async function startPlayedCloud(played: PlayedAws, options: PlayedClusterOptions): Promise<Cloud> {
  const delay = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return startCloud({
    accountId: account.id,
    region: account.region,
    clusters: [
      {
        name: 'blue',
        version: '1.35',
        authenticationMode: 'API',
        vpcId: 'vpc-1',
        subnetIds: ['subnet-1', 'subnet-2'],
        clusterSecurityGroupId: 'sg-1',
        ...options
      }
    ],
    services: ({ now, invoke, assume }) => [
      cloudFormation({ invoke, assume, clock: { now, delay }, pace: 1 }),
      ssm('aws'),
      played.ec2,
      played.sqs,
      played.events
    ]
  })
}
