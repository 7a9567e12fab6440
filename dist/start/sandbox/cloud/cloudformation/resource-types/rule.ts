import {
  alreadyExists,
  answered,
  answeredList,
  HandlerError,
  stringProperty,
  text,
  unlessMissing
} from '../handler.js'
import type { HandlerRequest, ResourceType } from '../handler.js'
import type { Deployer } from '../invoke.js'
import { isJsonList, isJsonObject, sameJson, type JsonObject } from '../json.js'

const type = 'AWS::Events::Rule'

/** AWS::Events::Rule. `Ref` gives the rule's name, with its bus before it when that is not the default one. */
export const rule: ResourceType = {
  name: type,
  properties: new Set([
    'Description',
    'EventBusName',
    'EventPattern',
    'Name',
    'RoleArn',
    'ScheduleExpression',
    'State',
    'Tags',
    'Targets'
  ]),
  required: [],
  createOnly: new Set(['Name', 'EventBusName']),
  taggable: true,
  attributes: new Set(['Arn']),
  capability: () => undefined,

  async create(request) {
    const { properties, deployer, generatedName, claim } = request
    const name = stringProperty(properties, 'Name') ?? generatedName(64)
    const bus = busOf(properties)
    if (
      (await unlessMissing(deployer.call('events', 'DescribeRule', { Name: name, ...bus }))) !== undefined
    ) {
      throw alreadyExists(type, name)
    }
    const put = await putRule(request, name)
    const physicalId = bus.EventBusName === undefined ? name : `${bus.EventBusName}|${name}`
    claim(physicalId)
    await putTargets(deployer, name, properties)
    return { physicalId, attributes: { Arn: answered(put, 'RuleArn') } }
  },

  async update(request, made, before) {
    const { properties, tags, deployer } = request
    const { name } = ruleName(made.physicalId)
    await deployer.call('events', 'DescribeRule', { Name: name, ...busOf(properties) })
    if (!sameJson(withoutTargets(properties), withoutTargets(before.properties))) {
      await putRule({ ...request, tags: [] }, name)
    }
    const kept = targetIds(properties)
    await removeTargets(
      deployer,
      name,
      properties,
      targetIds(before.properties).filter((id) => !kept.includes(id))
    )
    if (!sameJson(properties['Targets'], before.properties['Targets']))
      await putTargets(deployer, name, properties)
    const arn = made.attributes['Arn']
    const gone = before.tags.map(({ Key }) => Key).filter((key) => !tags.some(({ Key }) => Key === key))
    const changed = tags.filter(
      ({ Key, Value }) => !before.tags.some((tag) => tag.Key === Key && tag.Value === Value)
    )
    if (gone.length + changed.length > 0)
      await deployer.call('events', 'ListTagsForResource', { ResourceARN: arn })
    if (gone.length > 0) await deployer.call('events', 'UntagResource', { ResourceARN: arn, TagKeys: gone })
    if (changed.length > 0) await deployer.call('events', 'TagResource', { ResourceARN: arn, Tags: changed })
    return made
  },

  async remove({ physicalId }, properties, deployer) {
    const { name } = ruleName(physicalId)
    const bus = busOf(properties)
    if ((await unlessMissing(deployer.call('events', 'DescribeRule', { Name: name, ...bus }))) === undefined)
      return
    const listed = await deployer.call('events', 'ListTargetsByRule', { Rule: name, ...bus })
    const present = answeredList(listed, 'Targets').map((target) => answered(target, 'Id'))
    // Others' targets are not the stack's to remove: with one of them left the rule stays.
    const own = targetIds(properties).filter((id) => present.includes(id))
    await removeTargets(deployer, name, properties, own)
    await unlessMissing(deployer.call('events', 'DeleteRule', { Name: name, ...bus }))
  }
}

function busOf(properties: JsonObject): { readonly EventBusName?: string } {
  const bus = stringProperty(properties, 'EventBusName')
  return bus === undefined ? {} : { EventBusName: bus }
}

function ruleName(physicalId: string): { readonly name: string } {
  return { name: physicalId.slice(physicalId.lastIndexOf('|') + 1) }
}

async function putRule(
  { properties, tags, deployer }: HandlerRequest,
  name: string
): Promise<Readonly<Record<string, unknown>>> {
  const members = ['Description', 'EventPattern', 'RoleArn', 'ScheduleExpression', 'State'] as const
  const given = members.flatMap((member) => {
    const value = properties[member]
    return value === undefined ? [] : [[member, text(value)] as const]
  })
  return deployer.call('events', 'PutRule', {
    Name: name,
    ...busOf(properties),
    ...Object.fromEntries(given),
    ...(tags.length === 0 ? {} : { Tags: tags })
  })
}

async function putTargets(deployer: Deployer, name: string, properties: JsonObject): Promise<void> {
  const targets = properties['Targets']
  if (!isJsonList(targets) || targets.length === 0) return
  const put = await deployer.call('events', 'PutTargets', {
    Rule: name,
    ...busOf(properties),
    Targets: targets
  })
  const [failed] = answeredList(put, 'FailedEntries')
  if (failed !== undefined) throw new HandlerError('InvalidRequest', answered(failed, 'ErrorMessage'))
}

async function removeTargets(
  deployer: Deployer,
  name: string,
  properties: JsonObject,
  ids: readonly string[]
): Promise<void> {
  if (ids.length > 0)
    await deployer.call('events', 'RemoveTargets', { Rule: name, ...busOf(properties), Ids: ids })
}

function targetIds(properties: JsonObject): readonly string[] {
  const targets = properties['Targets']
  return (isJsonList(targets) ? targets : []).flatMap((target) =>
    isJsonObject(target) && target['Id'] !== undefined ? [text(target['Id'])] : []
  )
}

function withoutTargets(properties: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => key !== 'Targets' && key !== 'Tags'))
}
