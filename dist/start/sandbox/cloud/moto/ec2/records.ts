import { isRecord, list, optionalText, tagList, type Input, type Tag } from '../../input.js'
import { AwsError } from '../../service.js'

/** A launch template as it was made; moto forgets its security groups and knows no instance profiles. */
export interface LaunchTemplate {
  readonly id: string
  readonly name: string
  /** LaunchTemplateData of the request. */
  readonly data: Input
}

/** What an instance was launched with and moto does not tell. */
export interface Launched {
  /** Name or ARN of its instance profile. */
  readonly profile?: string
  /** Base64 decoded. */
  readonly userData: string
}

/** What an account does to launches: its quotas and rights refuse them, or EC2 ends the instances as soon as they are there. */
export interface LaunchTrouble {
  readonly kind: 'refused' | 'ended at once'
  /** VcpuLimitExceeded; Client.InvalidKMSKey.InvalidState */
  readonly code: string
  readonly message: string
}

/** What the sandbox's EC2 knows beside moto. */
export class Records {
  /** Of every launch from now on. */
  trouble: LaunchTrouble | undefined
  /** Instances that EC2 ended by itself, by id: the StateReason that it shows. */
  readonly endedByEc2 = new Map<string, { readonly code: string; readonly message: string }>()
  readonly templates: LaunchTemplate[] = []
  readonly launched = new Map<string, Launched>()
  /** When instances were terminated, milliseconds since the epoch. */
  readonly terminatedAt = new Map<string, number>()

  /** The template that a specification (LaunchTemplateId or LaunchTemplateName) names. */
  template(specification: Input): LaunchTemplate {
    const id = optionalText(specification, 'LaunchTemplateId')
    const name = optionalText(specification, 'LaunchTemplateName')
    const found = this.templates.find((one) => one.id === id || one.name === name)
    if (found !== undefined) return found
    throw id === undefined
      ? new AwsError(
          'InvalidLaunchTemplateName.NotFoundException',
          `At least one of the launch templates specified in the request does not exist.`
        )
      : new AwsError(
          'InvalidLaunchTemplateId.NotFound',
          `The specified launch template, with template ID ${id}, does not exist.`
        )
  }

  forgetTemplate(specification: Input): void {
    const id = optionalText(specification, 'LaunchTemplateId')
    const name = optionalText(specification, 'LaunchTemplateName')
    const at = this.templates.findIndex((one) => one.id === id || one.name === name)
    if (at >= 0) this.templates.splice(at, 1)
  }
}

export function member(input: Input, name: string): Input {
  const value = input[name]
  return isRecord(value) ? value : {}
}

export function members(input: Input, name: string): readonly Input[] {
  return list(input, name).filter(isRecord)
}

/** Tags by resource type, out of TagSpecification. */
export function specifiedTags(input: Input): ReadonlyMap<string, readonly Tag[]> {
  const byType = new Map<string, readonly Tag[]>()
  for (const specification of members(input, 'TagSpecification')) {
    const type = optionalText(specification, 'ResourceType') ?? ''
    byType.set(type, merged(byType.get(type) ?? [], tagList(specification, 'Tag')))
  }
  return byType
}

/** The later tag of a key counts. */
export function merged(first: readonly Tag[], second: readonly Tag[]): readonly Tag[] {
  return [...first.filter(({ Key }) => !second.some((tag) => tag.Key === Key)), ...second]
}

/** Security groups of a launch template's or RunInstances' request, those of its first interface too. */
export function securityGroupIds(data: Input): readonly string[] {
  const own = list(data, 'SecurityGroupId').filter((id) => typeof id === 'string')
  const [first] = members(data, 'NetworkInterface')
  if (own.length > 0 || first === undefined) return own
  const ofInterface =
    list(first, 'SecurityGroupId').length > 0 ? list(first, 'SecurityGroupId') : list(first, 'Group')
  return ofInterface.filter((id) => typeof id === 'string')
}

export function profileIn(data: Input): string | undefined {
  const profile = member(data, 'IamInstanceProfile')
  return optionalText(profile, 'Name') ?? optionalText(profile, 'Arn')
}
