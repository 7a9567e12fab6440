import {
  alreadyExists,
  answered,
  stringList,
  stringProperty,
  unlessMissing,
  type ResourceType
} from '../handler.js'
import { sameJson, type JsonObject } from '../json.js'
import { eksTags, retag } from './eks-tags.js'

const type = 'AWS::EKS::AccessEntry'

/** AWS::EKS::AccessEntry, without access policies, which a node's entry cannot have. `Ref` gives `<principal>|<cluster>`. */
export const accessEntry: ResourceType = {
  name: type,
  properties: new Set(['ClusterName', 'KubernetesGroups', 'PrincipalArn', 'Tags', 'Type', 'Username']),
  required: ['ClusterName', 'PrincipalArn'],
  createOnly: new Set(['ClusterName', 'PrincipalArn', 'Type']),
  taggable: true,
  attributes: new Set(['AccessEntryArn']),
  capability: () => undefined,

  async create({ properties, tags, deployer, claim }) {
    const at = addressOf(properties)
    const id = `${at.principalArn}|${at.clusterName}`
    if ((await unlessMissing(deployer.call('eks', 'DescribeAccessEntry', at))) !== undefined) {
      throw alreadyExists(type, id)
    }
    const entryType = stringProperty(properties, 'Type')
    const created = await deployer.call('eks', 'CreateAccessEntry', {
      ...at,
      ...(entryType === undefined ? {} : { type: entryType }),
      ...choices(properties),
      ...(tags.length === 0 ? {} : { tags: eksTags(tags) })
    })
    claim(id)
    return {
      physicalId: id,
      attributes: { AccessEntryArn: answered(created, 'accessEntry', 'accessEntryArn') }
    }
  },

  async update({ properties, tags, deployer }, made, before) {
    if (!sameJson(choices(properties), choices(before.properties))) {
      await deployer.call('eks', 'UpdateAccessEntry', { ...addressOf(properties), ...choices(properties) })
    }
    await retag(deployer, made.attributes['AccessEntryArn'] ?? '', tags, before.tags)
    return made
  },

  async remove(_made, properties, deployer) {
    await unlessMissing(deployer.call('eks', 'DeleteAccessEntry', addressOf(properties)))
  }
}

function addressOf(properties: JsonObject): Readonly<Record<'clusterName' | 'principalArn', string>> {
  return {
    clusterName: stringProperty(properties, 'ClusterName') ?? '',
    principalArn: stringProperty(properties, 'PrincipalArn') ?? ''
  }
}

function choices(properties: JsonObject): JsonObject {
  const username = stringProperty(properties, 'Username')
  const groups = properties['KubernetesGroups']
  return {
    ...(username === undefined ? {} : { username }),
    ...(groups === undefined ? {} : { kubernetesGroups: [...stringList(groups)] })
  }
}
