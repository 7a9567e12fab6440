import {
  alreadyExists,
  answered,
  stringList,
  stringProperty,
  unlessMissing,
  type ResourceType
} from '../handler.js'
import { isJsonList, isJsonObject, sameJson, type JsonObject } from '../json.js'
import { eksTags, retag } from './eks-tags.js'

const type = 'AWS::EKS::AccessEntry'

/** AWS::EKS::AccessEntry. `Ref` gives `<principal>|<cluster>`. */
export const accessEntry: ResourceType = {
  name: type,
  properties: new Set([
    'AccessPolicies',
    'ClusterName',
    'KubernetesGroups',
    'PrincipalArn',
    'Tags',
    'Type',
    'Username'
  ]),
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
    for (const policy of policiesOf(properties)) {
      await deployer.call('eks', 'AssociateAccessPolicy', { ...at, ...policy })
    }
    return {
      physicalId: id,
      attributes: { AccessEntryArn: answered(created, 'accessEntry', 'accessEntryArn') }
    }
  },

  async update({ properties, tags, deployer }, made, before) {
    if (!sameJson(choices(properties), choices(before.properties))) {
      await deployer.call('eks', 'UpdateAccessEntry', { ...addressOf(properties), ...choices(properties) })
    }
    const [wanted, old] = [policiesOf(properties), policiesOf(before.properties)]
    for (const policy of wanted.filter((one) => !old.some((other) => sameJson(one, other)))) {
      await deployer.call('eks', 'AssociateAccessPolicy', { ...addressOf(properties), ...policy })
    }
    for (const { policyArn } of old.filter(
      (one) => !wanted.some((other) => one.policyArn === other.policyArn)
    )) {
      await deployer.call('eks', 'DisassociateAccessPolicy', { ...addressOf(properties), policyArn })
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

/** As AssociateAccessPolicy takes them. */
function policiesOf(
  properties: JsonObject
): readonly { readonly policyArn: string; readonly accessScope: JsonObject }[] {
  const policies = properties['AccessPolicies']
  return (isJsonList(policies) ? policies : []).filter(isJsonObject).map((policy) => {
    const scope = policy['AccessScope']
    const { Type, Namespaces } = isJsonObject(scope) ? scope : {}
    return {
      policyArn: stringProperty(policy, 'PolicyArn') ?? '',
      accessScope: {
        ...(Type === undefined ? {} : { type: Type }),
        ...(Namespaces === undefined ? {} : { namespaces: Namespaces })
      }
    }
  })
}

function choices(properties: JsonObject): JsonObject {
  const username = stringProperty(properties, 'Username')
  const groups = properties['KubernetesGroups']
  return {
    ...(username === undefined ? {} : { username }),
    ...(groups === undefined ? {} : { kubernetesGroups: [...stringList(groups)] })
  }
}
