import { optionalText, type Input, type Tag } from '../../input.js'
import { AwsError, type AwsCall } from '../../service.js'
import { instanceTypePrices, spotPrice } from '../instance-types.js'
import {
  member,
  members,
  merged,
  profileIn,
  securityGroupIds,
  specifiedTags,
  type LaunchTemplate,
  type Records
} from './records.js'

/** One thing that a fleet or RunInstances may launch. */
export interface Choice {
  readonly template?: LaunchTemplate
  /** The fleet's override, as given. */
  readonly override: Input
  readonly type: string
  readonly imageId: string
  readonly subnetId?: string
  readonly zone?: string
  readonly securityGroups: readonly string[]
  readonly profile?: string
  /** Base64. */
  readonly userData: string
}

/** A call to CreateFleet or RunInstances, worked out: what is asked of IAM and what is launched both follow from it. */
export interface LaunchPlan {
  readonly action: 'CreateFleet' | 'RunInstances'
  readonly count: number
  readonly spot: boolean
  readonly choices: readonly Choice[]
  /** Tags of what is made, by resource type; those of the launch template included. */
  readonly tags: ReadonlyMap<string, readonly Tag[]>
}

export function launchPlan({ action, input }: AwsCall, records: Records): LaunchPlan {
  return action === 'CreateFleet' ? fleetPlan(input, records) : instancesPlan(input, records)
}

function fleetPlan(input: Input, records: Records): LaunchPlan {
  const configs = members(input, 'LaunchTemplateConfigs')
  if (optionalText(input, 'Type') !== 'instant') {
    throw new AwsError('InvalidParameterValue', 'Type: the sandbox has fleets of type instant only')
  }
  const templates = configs.map((config) => records.template(member(config, 'LaunchTemplateSpecification')))
  const choices = configs.flatMap((config, index) => {
    const template = templates[index]
    if (template === undefined) return []
    const overrides = members(config, 'Overrides')
    return (overrides.length > 0 ? overrides : [{}]).map((override) =>
      choiceOf(template.data, override, template)
    )
  })
  const target = member(input, 'TargetCapacitySpecification')
  return {
    action: 'CreateFleet',
    count: Number(optionalText(target, 'TotalTargetCapacity') ?? '1'),
    spot: optionalText(target, 'DefaultTargetCapacityType') === 'spot',
    choices,
    tags: tagsOf(input, templates)
  }
}

function instancesPlan(input: Input, records: Records): LaunchPlan {
  const specification = member(input, 'LaunchTemplate')
  const template = Object.keys(specification).length === 0 ? undefined : records.template(specification)
  const market = {
    ...member(template?.data ?? {}, 'InstanceMarketOptions'),
    ...member(input, 'InstanceMarketOptions')
  }
  return {
    action: 'RunInstances',
    count: Number(optionalText(input, 'MinCount') ?? '1'),
    spot: optionalText(market, 'MarketType') === 'spot',
    choices: [choiceOf({ ...template?.data, ...input }, {}, template)],
    tags: tagsOf(input, template === undefined ? [] : [template])
  }
}

function choiceOf(data: Input, override: Input, template: LaunchTemplate | undefined): Choice {
  const [firstInterface] = members(data, 'NetworkInterface')
  const subnetId =
    optionalText(override, 'SubnetId') ??
    optionalText(data, 'SubnetId') ??
    optionalText(firstInterface ?? {}, 'SubnetId')
  const zone = optionalText(override, 'AvailabilityZone')
  const profile = profileIn(data)
  return {
    ...(template === undefined ? {} : { template }),
    override,
    type: optionalText(override, 'InstanceType') ?? optionalText(data, 'InstanceType') ?? 'm5.large',
    imageId: optionalText(override, 'ImageId') ?? optionalText(data, 'ImageId') ?? '',
    ...(subnetId === undefined ? {} : { subnetId }),
    ...(zone === undefined ? {} : { zone }),
    securityGroups: securityGroupIds(data),
    ...(profile === undefined ? {} : { profile }),
    userData: optionalText(data, 'UserData') ?? ''
  }
}

function tagsOf(input: Input, templates: readonly LaunchTemplate[]): LaunchPlan['tags'] {
  const all = new Map<string, readonly Tag[]>()
  for (const given of [...templates.map(({ data }) => specifiedTags(data)), specifiedTags(input)]) {
    for (const [type, tags] of given) all.set(type, merged(all.get(type) ?? [], tags))
  }
  return all
}

/** Of a plan's choices the cheapest; those that cost the same take turns, so that zones are used evenly. */
export function cheapest({ choices, spot }: LaunchPlan, turn: number): Choice {
  const price = ({ type }: Choice): number =>
    spot ? spotPrice(type) : (instanceTypePrices.get(type) ?? Infinity)
  const lowest = Math.min(...choices.map(price))
  const candidates = choices.filter((choice) => price(choice) === lowest)
  const choice = candidates[turn % candidates.length]
  if (choice === undefined)
    throw new AwsError('MissingParameter', 'The request must contain the parameter LaunchTemplateConfigs')
  return choice
}
