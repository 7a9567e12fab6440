import { setTimeout as pause } from 'node:timers/promises'
import {
  alreadyExists,
  answered,
  HandlerError,
  stringList,
  stringProperty,
  text,
  unlessMissing,
  type ResourceType
} from '../handler.js'
import type { Deployer } from '../invoke.js'
import { isJsonList, isJsonObject, type Json, type JsonObject } from '../json.js'
import { eksTags, retag } from './eks-tags.js'

const type = 'AWS::EKS::FargateProfile'
const askAgain = 50

/** AWS::EKS::FargateProfile, of which only the tags can be changed. `Ref` gives `<cluster>|<profile>`. */
export const fargateProfile: ResourceType = {
  name: type,
  properties: new Set([
    'ClusterName',
    'FargateProfileName',
    'PodExecutionRoleArn',
    'Selectors',
    'Subnets',
    'Tags'
  ]),
  required: ['ClusterName', 'PodExecutionRoleArn', 'Selectors'],
  createOnly: new Set(['ClusterName', 'FargateProfileName', 'PodExecutionRoleArn', 'Selectors', 'Subnets']),
  taggable: true,
  attributes: new Set(['Arn']),
  capability: () => undefined,

  async create({ properties, tags, deployer, claim, generatedName }) {
    const at: Address = {
      clusterName: stringProperty(properties, 'ClusterName') ?? '',
      fargateProfileName: stringProperty(properties, 'FargateProfileName') ?? generatedName(100)
    }
    const id = `${at.clusterName}|${at.fargateProfileName}`
    if ((await unlessMissing(deployer.call('eks', 'DescribeFargateProfile', at))) !== undefined) {
      throw alreadyExists(type, id)
    }
    const subnets = stringList(properties['Subnets'])
    const created = await deployer.call('eks', 'CreateFargateProfile', {
      ...at,
      podExecutionRoleArn: stringProperty(properties, 'PodExecutionRoleArn') ?? '',
      selectors: selectorsOf(properties['Selectors']),
      ...(subnets.length === 0 ? {} : { subnets: [...subnets] }),
      ...(tags.length === 0 ? {} : { tags: eksTags(tags) })
    })
    claim(id)
    await active(deployer, at)
    return {
      physicalId: id,
      attributes: { Arn: answered(created, 'fargateProfile', 'fargateProfileArn') }
    }
  },

  async update({ tags, deployer }, made, before) {
    await retag(deployer, made.attributes['Arn'] ?? '', tags, before.tags)
    return made
  },

  async remove({ physicalId }, _properties, deployer) {
    const [clusterName = '', fargateProfileName = ''] = physicalId.split('|')
    const at: Address = { clusterName, fargateProfileName }
    await unlessMissing(deployer.call('eks', 'DeleteFargateProfile', at))
    while ((await unlessMissing(deployer.call('eks', 'DescribeFargateProfile', at))) !== undefined) {
      await pause(askAgain)
    }
  }
}

type Address = Readonly<Record<'clusterName' | 'fargateProfileName', string>>

function selectorsOf(value: Json | undefined): JsonObject[] {
  const selectors = value !== undefined && isJsonList(value) ? value.filter(isJsonObject) : []
  return selectors.map((selector) => ({
    namespace: stringProperty(selector, 'Namespace') ?? '',
    labels: labelsOf(selector['Labels'])
  }))
}

function labelsOf(value: Json | undefined): JsonObject {
  const labels = value !== undefined && isJsonList(value) ? value.filter(isJsonObject) : []
  return Object.fromEntries(labels.map(({ Key = '', Value = '' }) => [text(Key), text(Value)]))
}

async function active(deployer: Deployer, at: Address): Promise<void> {
  for (;;) {
    const described = await deployer.call('eks', 'DescribeFargateProfile', at)
    const status = answered(described, 'fargateProfile', 'status')
    if (status === 'ACTIVE') return
    if (status !== 'CREATING')
      throw new HandlerError('NotStabilized', `Fargate profile ${at.fargateProfileName} is ${status}`)
    await pause(askAgain)
  }
}
