import { randomUUID } from 'node:crypto'
import { isRecord, list, optionalText, texts, type Input, type Tag } from '../../input.js'
import { AwsError, RawReply, type AwsCall, type Service } from '../../service.js'
import { items, type MotoClient } from '../client.js'
import { instanceTypePrices, spotPrice } from '../instance-types.js'
import { cheapest, launchPlan, type Choice, type LaunchPlan } from './plan.js'
import { ec2Questions, type QuestionSources } from './questions.js'
import { type LaunchTrouble, members, type Records } from './records.js'
import { withBlackholes } from './routes.js'
import { shownInstances } from './shown-instances.js'
import { ec2Reply } from './xml.js'

export interface Ec2Parts {
  readonly moto: MotoClient
  readonly records: Records
  readonly partition: string
  readonly urlSuffix: string
  readonly now: () => number
  readonly instanceProfile: QuestionSources['instanceProfile']
  /** Instances were launched or terminated. */
  readonly changed: () => void
  /** EC2 ended this instance by itself. */
  readonly ended: (id: string) => Promise<void>
}

/** EC2: moto behind what it lacks. */
export function ec2Service(parts: Ec2Parts): Service {
  const { moto, records, changed, now } = parts
  let turn = 0
  const sources: QuestionSources = {
    partition: parts.partition,
    urlSuffix: parts.urlSuffix,
    tagsOf: (region, ids) => tagsOf(moto, region, ids),
    vpcsOf: (region, ids) => vpcsOf(moto, region, ids),
    instanceProfile: parts.instanceProfile,
    plan: (call) => launchPlan(call, records),
    templateId: ({ input }) => records.template(input).id
  }
  return {
    name: 'ec2',
    protocol: 'ec2',
    questions: (call) => ec2Questions(call, sources),
    async answer(call) {
      const { input, action } = call
      if (optionalText(input, 'DryRun') === 'true') {
        throw new AwsError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412)
      }
      switch (action) {
        case 'CreateFleet':
          return createFleet(call)
        case 'RunInstances':
          return runInstances(call)
        case 'CreateLaunchTemplate':
          return createTemplate(call)
        case 'DeleteLaunchTemplate': {
          const reply = await forward(call)
          if (reply.status < 400) records.forgetTemplate(input)
          return reply
        }
        case 'CreateLaunchTemplateVersion':
        case 'ModifyLaunchTemplate':
          throw new AwsError('InvalidAction', `${action}: launch templates of the sandbox have one version`)
        case 'TerminateInstances': {
          const reply = await forward(call)
          if (reply.status < 400) {
            for (const id of texts(input, 'InstanceId'))
              if (!records.terminatedAt.has(id)) records.terminatedAt.set(id, now())
            changed()
          }
          return reply
        }
        case 'DeleteNetworkInterface':
          await refuseInUse(call)
          return forward(call)
        case 'DescribeInstances':
          return shown(await forward(call, onceEach(new URLSearchParams(call.http.body))))
        case 'DescribeRouteTables':
          return withBlackholes(moto, call.region, await forward(call))
        case 'DescribeInstanceTypes':
          return forwardInstanceTypes(call)
        case 'DescribeInstanceTypeOfferings':
          return offerings(call)
        case 'DescribeSpotPriceHistory':
          return spotPrices(call)
        case 'DescribeCapacityReservations':
          return ec2Reply(action, { capacityReservationSet: [] })
        case 'DescribePlacementGroups':
          return ec2Reply(action, { placementGroupSet: [] })
        default:
          return forward(call)
      }
    }
  }

  function shown(reply: RawReply): RawReply {
    return shownInstances(reply, { records, now: now(), instanceProfile: parts.instanceProfile })
  }

  async function forward(call: AwsCall, form = new URLSearchParams(call.http.body)): Promise<RawReply> {
    const reply = await moto.ec2(call.region, form)
    // Some of moto's ARNs know one partition only.
    return new RawReply(
      reply.status,
      reply.headers,
      reply.body.replaceAll('arn:aws:', `arn:${parts.partition}:`)
    )
  }

  /** moto deletes interfaces under their instances. */
  async function refuseInUse({ region, input }: AwsCall): Promise<void> {
    const id = optionalText(input, 'NetworkInterfaceId') ?? ''
    const described = await moto.ec2Object(region, 'DescribeNetworkInterfaces', { NetworkInterfaceId: [id] })
    if (items(described['networkInterfaceSet']).some((one) => optionalText(one, 'status') === 'in-use')) {
      throw new AwsError('InvalidParameterValue', `Network interface '${id}' is currently in use.`)
    }
  }

  async function launch({ region }: AwsCall, plan: LaunchPlan, choice: Choice): Promise<Input> {
    if (!instanceTypePrices.has(choice.type)) {
      throw new AwsError('InvalidParameterValue', `Invalid value '${choice.type}' for InstanceType.`)
    }
    const tags = plan.tags.get('instance') ?? []
    const run = await moto.ec2Object(region, 'RunInstances', {
      ImageId: choice.imageId,
      InstanceType: choice.type,
      MinCount: plan.count,
      MaxCount: plan.count,
      ...(choice.subnetId === undefined ? {} : { SubnetId: choice.subnetId }),
      SecurityGroupId: choice.securityGroups,
      ...(choice.userData === '' ? {} : { UserData: choice.userData }),
      ...(tags.length === 0 ? {} : { TagSpecification: [{ ResourceType: 'instance', Tag: tags }] }),
      ...(plan.spot ? { InstanceMarketOptions: { MarketType: 'spot' } } : {})
    })
    for (const instance of items(run['instancesSet'])) {
      records.launched.set(optionalText(instance, 'instanceId') ?? '', {
        ...(choice.profile === undefined ? {} : { profile: choice.profile }),
        userData: Buffer.from(choice.userData, 'base64').toString()
      })
    }
    if (records.trouble?.kind === 'ended at once') await endAtOnce(region, run, records.trouble)
    changed()
    return run
  }

  /** As EC2 does where a volume's key may not be used: the call succeeds, and the instance is gone before it has booted. */
  async function endAtOnce(region: string, run: Input, { code, message }: LaunchTrouble): Promise<void> {
    const ids = items(run['instancesSet']).map((instance) => optionalText(instance, 'instanceId') ?? '')
    await moto.ec2Object(region, 'TerminateInstances', { InstanceId: ids })
    for (const id of ids) {
      records.terminatedAt.set(id, now())
      records.endedByEc2.set(id, { code, message })
      await parts.ended(id)
    }
  }

  async function createFleet(call: AwsCall): Promise<RawReply> {
    const plan = launchPlan(call, records)
    const available = { ...plan, choices: plan.choices.filter(({ type }) => instanceTypePrices.has(type)) }
    const fleetId = `fleet-${randomUUID()}`
    const refused = records.trouble?.kind === 'refused' ? records.trouble : undefined
    if (available.choices.length === 0 || refused !== undefined) {
      return ec2Reply('CreateFleet', {
        fleetId,
        errorSet: plan.choices.map((choice) => ({
          launchTemplateAndOverrides: overridesAnswer(choice),
          lifecycle: plan.spot ? 'spot' : 'on-demand',
          errorCode: refused?.code ?? 'InsufficientInstanceCapacity',
          errorMessage:
            refused?.message ??
            `We currently do not have sufficient ${choice.type} capacity in the Availability Zone you requested.`
        })),
        fleetInstanceSet: []
      })
    }
    const choice = cheapest(available, turn++)
    const run = await launch(call, plan, choice)
    const launched = items(run['instancesSet'])
    const placement = launched[0]?.['placement']
    const zone =
      choice.zone ?? (isRecord(placement) ? optionalText(placement, 'availabilityZone') : undefined)
    return ec2Reply('CreateFleet', {
      fleetId,
      errorSet: [],
      fleetInstanceSet: [
        {
          launchTemplateAndOverrides: overridesAnswer({ ...choice, ...(zone === undefined ? {} : { zone }) }),
          lifecycle: plan.spot ? 'spot' : 'on-demand',
          instanceIds: launched.map((instance) => optionalText(instance, 'instanceId')),
          instanceType: choice.type
        }
      ]
    })
  }

  async function runInstances(call: AwsCall): Promise<RawReply> {
    const plan = launchPlan(call, records)
    const run = await launch(call, plan, cheapest(plan, turn++))
    const ids = items(run['instancesSet']).map((instance) => optionalText(instance, 'instanceId') ?? '')
    const form = new URLSearchParams({ Action: 'DescribeInstances', Version: '2016-11-15' })
    ids.forEach((id, index) => form.set(`InstanceId.${index + 1}`, id))
    const described = shown(await forward(call, form))
    // One reservation is what RunInstances answers; DescribeInstances wraps it in a set.
    const reservation =
      /<reservationSet>\s*<item>([\s\S]*)<\/item>\s*<\/reservationSet>/.exec(described.body)?.[1] ?? ''
    return new RawReply(
      200,
      described.headers,
      `<RunInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">${reservation}</RunInstancesResponse>`
    )
  }

  async function createTemplate(call: AwsCall): Promise<RawReply> {
    const reply = await forward(call)
    const id = /<launchTemplateId>([^<]+)</.exec(reply.body)?.[1]
    const data = call.input['LaunchTemplateData']
    if (reply.status < 400 && id !== undefined && isRecord(data)) {
      records.templates.push({ id, name: optionalText(call.input, 'LaunchTemplateName') ?? '', data })
    }
    return reply
  }

  /** Only the types that the sandbox has. */
  async function forwardInstanceTypes(call: AwsCall): Promise<RawReply> {
    const asked = texts(call.input, 'InstanceType')
    const foreign = asked.filter((type) => !instanceTypePrices.has(type))
    if (foreign.length > 0) {
      throw new AwsError(
        'InvalidInstanceType',
        `The following supplied instance types do not exist: [${foreign.join(', ')}]`
      )
    }
    const form = new URLSearchParams(call.http.body)
    if (asked.length === 0) {
      for (const [index, type] of [...instanceTypePrices.keys()].entries())
        form.set(`InstanceType.${index + 1}`, type)
      form.delete('MaxResults')
    }
    return forward(call, form)
  }

  async function offerings(call: AwsCall): Promise<RawReply> {
    const kind = optionalText(call.input, 'LocationType') ?? 'region'
    const places =
      kind === 'region'
        ? [call.region]
        : (await zones(moto, call.region)).map(({ name, id }) =>
            kind === 'availability-zone-id' ? id : name
          )
    const [types, wantedPlaces] = ['instance-type', 'location'].map((name) => filterValues(call.input, name))
    return ec2Reply(call.action, {
      instanceTypeOfferingSet: places
        .filter((place) => wantedPlaces === undefined || wantedPlaces.includes(place))
        .flatMap((location) =>
          [...instanceTypePrices.keys()]
            .filter((type) => types === undefined || types.some((pattern) => matches(pattern, type)))
            .map((instanceType) => ({ instanceType, locationType: kind, location }))
        )
    })
  }

  async function spotPrices(call: AwsCall): Promise<RawReply> {
    const wanted = texts(call.input, 'InstanceType')
    const types = [...instanceTypePrices.keys()].filter(
      (type) => wanted.length === 0 || wanted.includes(type)
    )
    const timestamp = new Date(now()).toISOString()
    const zoneNames = (await zones(moto, call.region)).map(({ name }) => name)
    return ec2Reply(call.action, {
      spotPriceHistorySet: zoneNames.flatMap((availabilityZone) =>
        types.map((instanceType) => ({
          instanceType,
          productDescription: 'Linux/UNIX',
          spotPrice: spotPrice(instanceType).toFixed(6),
          timestamp,
          availabilityZone
        }))
      ),
      nextToken: ''
    })
  }
}

/** Karpenter's batches can name an instance twice, which EC2 takes and moto does not. */
function onceEach(form: URLSearchParams): URLSearchParams {
  const ids = new Set<string>()
  for (const [name, value] of [...form]) {
    if (!name.startsWith('InstanceId.')) continue
    form.delete(name)
    ids.add(value)
  }
  let index = 0
  for (const id of ids) form.set(`InstanceId.${++index}`, id)
  return form
}

/** Tags of these resources, by id. */
async function tagsOf(
  moto: MotoClient,
  region: string,
  ids: readonly string[]
): Promise<ReadonlyMap<string, readonly Tag[]>> {
  if (ids.length === 0) return new Map()
  const described = await moto.ec2Object(region, 'DescribeTags', {
    Filter: [{ Name: 'resource-id', Value: ids }]
  })
  const found = new Map<string, Tag[]>(ids.map((id) => [id, []]))
  for (const tag of items(described['tagSet'])) {
    found
      .get(optionalText(tag, 'resourceId') ?? '')
      ?.push({ Key: optionalText(tag, 'key') ?? '', Value: optionalText(tag, 'value') ?? '' })
  }
  return found
}

async function vpcsOf(
  moto: MotoClient,
  region: string,
  ids: readonly string[]
): Promise<ReadonlyMap<string, string>> {
  const kinds = [
    ['subnet-', 'DescribeSubnets', 'subnet-id', 'subnetSet', 'subnetId'],
    ['sg-', 'DescribeSecurityGroups', 'group-id', 'securityGroupInfo', 'groupId']
  ] as const
  const found = new Map<string, string>()
  for (const [prefix, action, filter, set, idField] of kinds) {
    const own = ids.filter((id) => id.startsWith(prefix))
    if (own.length === 0) continue
    const described = await moto.ec2Object(region, action, { Filter: [{ Name: filter, Value: own }] })
    for (const one of items(described[set]))
      found.set(optionalText(one, idField) ?? '', optionalText(one, 'vpcId') ?? '')
  }
  return found
}

export async function zones(
  moto: MotoClient,
  region: string
): Promise<readonly { readonly name: string; readonly id: string }[]> {
  const described = await moto.ec2Object(region, 'DescribeAvailabilityZones', {})
  return items(described['availabilityZoneInfo']).map((zone) => ({
    name: optionalText(zone, 'zoneName') ?? '',
    id: optionalText(zone, 'zoneId') ?? ''
  }))
}

function filterValues(input: Input, name: string): readonly string[] | undefined {
  const filter = members(input, 'Filter').find((one) => optionalText(one, 'Name') === name)
  return filter === undefined ? undefined : list(filter, 'Value').filter((value) => typeof value === 'string')
}

/** EC2's filters take * for any text. */
function matches(pattern: string, text: string): boolean {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')
  return new RegExp(`^${escaped}$`).test(text)
}

function overridesAnswer(choice: Choice): Readonly<Record<string, unknown>> {
  return {
    launchTemplateSpecification: {
      launchTemplateId: choice.template?.id,
      launchTemplateName: choice.template?.name,
      version: '1'
    },
    overrides: {
      instanceType: choice.type,
      subnetId: choice.subnetId,
      availabilityZone: choice.zone,
      imageId: choice.imageId,
      priority: optionalText(choice.override, 'Priority')
    }
  }
}
