import { answered, stringProperty, unlessMissing, type ResourceType } from '../handler.js'
import type { JsonObject } from '../json.js'
import { eksTags, retag } from './eks-tags.js'

/** AWS::EKS::PodIdentityAssociation. `Ref` gives its ARN. */
export const podIdentityAssociation: ResourceType = {
  name: 'AWS::EKS::PodIdentityAssociation',
  properties: new Set([
    'ClusterName',
    'DisableSessionTags',
    'Namespace',
    'RoleArn',
    'ServiceAccount',
    'Tags',
    'TargetRoleArn'
  ]),
  required: ['ClusterName', 'Namespace', 'RoleArn', 'ServiceAccount'],
  createOnly: new Set(['ClusterName', 'Namespace', 'ServiceAccount']),
  taggable: true,
  attributes: new Set(['AssociationArn', 'AssociationId', 'ExternalId']),
  capability: () => undefined,

  async create({ properties, tags, deployer, claim }) {
    const created = await deployer.call('eks', 'CreatePodIdentityAssociation', {
      clusterName: stringProperty(properties, 'ClusterName') ?? '',
      namespace: stringProperty(properties, 'Namespace') ?? '',
      serviceAccount: stringProperty(properties, 'ServiceAccount') ?? '',
      ...choices(properties),
      ...(tags.length === 0 ? {} : { tags: eksTags(tags) })
    })
    const arn = answered(created, 'association', 'associationArn')
    claim(arn)
    return {
      physicalId: arn,
      attributes: {
        AssociationArn: arn,
        AssociationId: answered(created, 'association', 'associationId')
      }
    }
  },

  async update({ properties, tags, deployer }, made, before) {
    await deployer.call('eks', 'UpdatePodIdentityAssociation', {
      ...addressOf(properties, made.physicalId),
      ...choices(properties)
    })
    await retag(deployer, made.physicalId, tags, before.tags)
    return made
  },

  async remove({ physicalId }, properties, deployer) {
    const at = addressOf(properties, physicalId)
    await unlessMissing(deployer.call('eks', 'DeletePodIdentityAssociation', at))
  }
}

/** The id is the last part of the ARN: a removal knows no more than that. */
function addressOf(
  properties: JsonObject,
  arn: string
): Readonly<Record<'clusterName' | 'associationId', string>> {
  return {
    clusterName: stringProperty(properties, 'ClusterName') ?? '',
    associationId: arn.split('/').at(-1) ?? ''
  }
}

function choices(properties: JsonObject): JsonObject {
  const disable = properties['DisableSessionTags']
  return {
    roleArn: stringProperty(properties, 'RoleArn') ?? '',
    ...(disable === undefined ? {} : { disableSessionTags: disable === true || disable === 'true' })
  }
}
