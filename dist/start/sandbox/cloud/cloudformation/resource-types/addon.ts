import { setTimeout as pause } from 'node:timers/promises'
import {
  alreadyExists,
  answered,
  HandlerError,
  stringProperty,
  unlessMissing,
  type Made,
  type ResourceType
} from '../handler.js'
import type { Deployer } from '../invoke.js'
import { sameJson, type JsonObject } from '../json.js'
import { eksTags, retag } from './eks-tags.js'

const type = 'AWS::EKS::Addon'
const askAgain = 50

/** AWS::EKS::Addon. `Ref` gives `<cluster>|<add-on>`. */
export const addon: ResourceType = {
  name: type,
  properties: new Set([
    'AddonName',
    'AddonVersion',
    'ClusterName',
    'ConfigurationValues',
    'PodIdentityAssociations',
    'PreserveOnDelete',
    'ResolveConflicts',
    'ServiceAccountRoleArn',
    'Tags'
  ]),
  required: ['ClusterName', 'AddonName'],
  createOnly: new Set(['ClusterName', 'AddonName']),
  taggable: true,
  attributes: new Set(['Arn']),
  capability: () => undefined,

  async create({ properties, tags, deployer, claim }) {
    const at = addressOf(properties)
    const id = `${at.clusterName}|${at.addonName}`
    if ((await unlessMissing(deployer.call('eks', 'DescribeAddon', at))) !== undefined) {
      throw alreadyExists(type, id)
    }
    const addonVersion = stringProperty(properties, 'AddonVersion')
    const created = await deployer.call('eks', 'CreateAddon', {
      ...at,
      ...(addonVersion === undefined ? {} : { addonVersion }),
      ...(tags.length === 0 ? {} : { tags: eksTags(tags) })
    })
    claim(id)
    await active(deployer, at)
    return { physicalId: id, attributes: { Arn: answered(created, 'addon', 'addonArn') } }
  },

  async update({ properties, tags, deployer }, made, before) {
    const changed = Object.keys({ ...properties, ...before.properties }).filter(
      (key) => key !== 'Tags' && !sameJson(properties[key], before.properties[key])
    )
    if (changed.length > 0) throw new HandlerError('InvalidRequest', `${changed.join()}: not updated here`)
    await retag(deployer, made.attributes['Arn'] ?? '', tags, before.tags)
    return made
  },

  async remove(_made: Made, properties, deployer) {
    const at = addressOf(properties)
    if ((await unlessMissing(deployer.call('eks', 'DescribeAddon', at))) === undefined) return
    const preserve = properties['PreserveOnDelete'] === true
    await unlessMissing(deployer.call('eks', 'DeleteAddon', { ...at, ...(preserve && { preserve }) }))
    while ((await unlessMissing(deployer.call('eks', 'DescribeAddon', at))) !== undefined) {
      await pause(askAgain)
    }
  }
}

type Address = Readonly<Record<'clusterName' | 'addonName', string>>

function addressOf(properties: JsonObject): Address {
  return {
    clusterName: stringProperty(properties, 'ClusterName') ?? '',
    addonName: stringProperty(properties, 'AddonName') ?? ''
  }
}

async function active(deployer: Deployer, at: Address): Promise<void> {
  for (;;) {
    const status = answered(await deployer.call('eks', 'DescribeAddon', at), 'addon', 'status')
    if (status === 'ACTIVE') return
    if (status !== 'CREATING') throw new HandlerError('NotStabilized', `Addon ${at.addonName} is ${status}`)
    await pause(askAgain)
  }
}
