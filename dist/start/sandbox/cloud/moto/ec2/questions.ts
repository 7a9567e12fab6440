import { optionalText, tagList, text, texts, type Tag } from '../../input.js'
import { requestTags, resourceTags, type Context } from '../../operations.js'
import { AwsError, type AwsCall, type Question } from '../../service.js'
import type { LaunchPlan } from './plan.js'
import { members, specifiedTags } from './records.js'

/** An instance profile and the role in it. */
export interface InstanceProfile {
  readonly arn: string
  readonly name: string
  readonly roleArn?: string
}

export interface QuestionSources {
  readonly partition: string
  /** amazonaws.com, amazonaws.com.cn */
  readonly urlSuffix: string
  /** Tags of what is there, by id. */
  tagsOf(region: string, ids: readonly string[]): Promise<ReadonlyMap<string, readonly Tag[]>>
  /** Ids of the VPCs that these subnets and security groups are of, by their ids. */
  vpcsOf(region: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** By name or ARN. */
  readonly instanceProfile: (nameOrArn: string) => InstanceProfile | undefined
  plan(call: AwsCall): LaunchPlan
  /** Id of the launch template that the call names by id or name. */
  templateId(call: AwsCall): string
}

const typesByPrefix: Readonly<Record<string, string>> = {
  i: 'instance',
  lt: 'launch-template',
  subnet: 'subnet',
  sg: 'security-group',
  vpc: 'vpc',
  vol: 'volume',
  eni: 'network-interface',
  fleet: 'fleet',
  sir: 'spot-instances-request',
  igw: 'internet-gateway',
  rtb: 'route-table'
}

/**
 * What EC2 asks IAM for, as its service authorization reference has it: one question for every resource that an action
 * touches, with the tags of the request and of what is there.
 */
export async function ec2Questions(call: AwsCall, sources: QuestionSources): Promise<readonly Question[]> {
  const { action, input, region } = call
  const ask = asker(call, sources)
  switch (action) {
    case 'CreateFleet':
    case 'RunInstances':
      return launchQuestions(call, sources)
    case 'CreateLaunchTemplate': {
      const tags = specifiedTags(input).get('launch-template') ?? []
      return [
        ask('CreateLaunchTemplate', 'launch-template', '*', requestTags(tags)),
        ...tagOnCreate(ask, action, 'launch-template', tags)
      ]
    }
    case 'DeleteLaunchTemplate': {
      const id = sources.templateId(call)
      const tags = await sources.tagsOf(region, [id])
      return [ask(action, 'launch-template', id, resourceTags('ec2', tags.get(id) ?? []))]
    }
    case 'TerminateInstances':
      return existing(call, sources, texts(input, 'InstanceId'), {})
    case 'DeleteVolume':
      return existing(call, sources, [text(input, 'VolumeId')], {})
    case 'DeleteNetworkInterface':
      return existing(call, sources, [text(input, 'NetworkInterfaceId')], {})
    case 'CreateTags':
      return existing(call, sources, texts(input, 'ResourceId'), requestTags(tagList(input, 'Tag')))
    case 'DeleteTags': {
      const keys = members(input, 'Tag')
        .map((tag) => optionalText(tag, 'Key'))
        .filter((key) => key !== undefined)
      return existing(call, sources, texts(input, 'ResourceId'), { 'aws:TagKeys': keys })
    }
    default:
      return [{ action: `ec2:${action}`, resource: '*', context: { 'ec2:Region': region } }]
  }
}

type Ask = (action: string, type: string, id: string, context: Context) => Question

/** Images and snapshots have no account in their ARNs. */
function asker({ region, caller }: AwsCall, { partition }: QuestionSources): Ask {
  return (action, type, id, context) => {
    const account = type === 'image' || type === 'snapshot' ? '' : caller.accountId
    return {
      action: `ec2:${action}`,
      resource: `arn:${partition}:ec2:${region}:${account}:${type}/${id}`,
      context: { 'ec2:Region': region, ...context }
    }
  }
}

function tagOnCreate(
  ask: Ask,
  createAction: string,
  type: string,
  tags: readonly Tag[]
): readonly Question[] {
  if (tags.length === 0) return []
  return [ask('CreateTags', type, '*', { 'ec2:CreateAction': createAction, ...requestTags(tags) })]
}

async function existing(
  call: AwsCall,
  sources: QuestionSources,
  ids: readonly string[],
  context: Context
): Promise<readonly Question[]> {
  const ask = asker(call, sources)
  const tags = await sources.tagsOf(call.region, ids)
  const vpcs = await sources.vpcsOf(call.region, ids)
  const ofVpc = (id: string): Context => {
    const vpc = vpcs.get(id)
    if (vpc === undefined) return {}
    return { 'ec2:Vpc': `arn:${sources.partition}:ec2:${call.region}:${call.caller.accountId}:vpc/${vpc}` }
  }
  return ids.map((id) => {
    const type = typesByPrefix[id.slice(0, id.indexOf('-'))]
    if (type === undefined) throw new AwsError('InvalidID', `The ID '${id}' is not valid`)
    return ask(call.action, type, id, {
      ...resourceTags('ec2', tags.get(id) ?? []),
      ...ofVpc(id),
      ...context
    })
  })
}

async function launchQuestions(call: AwsCall, sources: QuestionSources): Promise<readonly Question[]> {
  const plan = sources.plan(call)
  const ask = asker(call, sources)
  const distinct = (values: readonly (string | undefined)[]): readonly string[] =>
    [...new Set(values.filter((value) => value !== undefined && value !== ''))].filter(
      (value) => value !== undefined
    )
  const used = [
    ['image', distinct(plan.choices.map(({ imageId }) => imageId))],
    ['security-group', distinct(plan.choices.flatMap(({ securityGroups }) => securityGroups))],
    ['subnet', distinct(plan.choices.map(({ subnetId }) => subnetId))],
    ['launch-template', distinct(plan.choices.map(({ template }) => template?.id))]
  ] as const
  const made = ['instance', 'volume', 'network-interface', ...(plan.spot ? ['spot-instances-request'] : [])]
  const tags = await sources.tagsOf(
    call.region,
    used.flatMap(([, ids]) => ids)
  )
  const asked = (action: string, madeTypes: readonly string[]): readonly Question[] => [
    ...used.flatMap(([type, ids]) =>
      ids.map((id) => ask(action, type, id, resourceTags('ec2', tags.get(id) ?? [])))
    ),
    ...madeTypes.map((type) => ask(action, type, '*', requestTags(plan.tags.get(type) ?? [])))
  ]
  const madeByAction = plan.action === 'CreateFleet' ? ['fleet', ...made] : made
  return [
    ...asked(plan.action, madeByAction),
    // An instant fleet runs its instances in the caller's name.
    ...(plan.action === 'CreateFleet' ? asked('RunInstances', made) : []),
    ...madeByAction.flatMap((type) => tagOnCreate(ask, plan.action, type, plan.tags.get(type) ?? [])),
    ...passRole(plan, sources)
  ]
}

function passRole(plan: LaunchPlan, { instanceProfile, urlSuffix }: QuestionSources): readonly Question[] {
  const profiles = [...new Set(plan.choices.map(({ profile }) => profile))].filter((one) => one !== undefined)
  return profiles.flatMap((nameOrArn) => {
    const profile = instanceProfile(nameOrArn)
    if (profile === undefined) {
      throw new AwsError(
        'InvalidParameterValue',
        `Value (${nameOrArn}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name`
      )
    }
    if (profile.roleArn === undefined) return []
    return [
      {
        action: 'iam:PassRole',
        resource: profile.roleArn,
        context: { 'iam:PassedToService': `ec2.${urlSuffix}` }
      }
    ]
  })
}
