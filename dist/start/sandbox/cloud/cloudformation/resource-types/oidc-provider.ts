import {
  alreadyExists,
  answered,
  stringList,
  stringProperty,
  unlessMissing,
  type ResourceType
} from '../handler.js'
import { sameJson } from '../json.js'

const type = 'AWS::IAM::OIDCProvider'

/** AWS::IAM::OIDCProvider, by its published resource schema. `Ref` gives the ARN; the address is the provider's identity. */
export const oidcProvider: ResourceType = {
  name: type,
  properties: new Set(['ClientIdList', 'Tags', 'ThumbprintList', 'Url']),
  required: [],
  createOnly: new Set(['Url']),
  taggable: true,
  attributes: new Set(['Arn']),
  capability: () => undefined,

  async create({ properties, tags, deployer, claim }) {
    const url = stringProperty(properties, 'Url') ?? ''
    const { OpenIDConnectProviderList: known } = await deployer.call('iam', 'ListOpenIDConnectProviders', {})
    const taken = JSON.stringify(known ?? []).includes(`oidc-provider/${url.replace(/^https:\/\//, '')}"`)
    if (taken) throw alreadyExists(type, url)
    const thumbprints = stringList(properties['ThumbprintList'])
    const created = await deployer.call('iam', 'CreateOpenIDConnectProvider', {
      Url: url,
      ClientIDList: [...stringList(properties['ClientIdList'])],
      ...(thumbprints.length === 0 ? {} : { ThumbprintList: [...thumbprints] }),
      ...(tags.length === 0 ? {} : { Tags: tags })
    })
    const arn = answered(created, 'OpenIDConnectProviderArn')
    claim(arn)
    return { physicalId: arn, attributes: { Arn: arn } }
  },

  async update({ properties, tags, deployer }, made, before) {
    const [wanted, old] = [properties, before.properties].map((own) => stringList(own['ClientIdList']))
    const at = { OpenIDConnectProviderArn: made.physicalId }
    for (const ClientID of wanted ?? []) {
      if (old?.includes(ClientID) !== true)
        await deployer.call('iam', 'AddClientIDToOpenIDConnectProvider', { ...at, ClientID })
    }
    for (const ClientID of old ?? []) {
      if (wanted?.includes(ClientID) !== true)
        await deployer.call('iam', 'RemoveClientIDFromOpenIDConnectProvider', { ...at, ClientID })
    }
    const thumbprints = properties['ThumbprintList']
    if (!sameJson(thumbprints, before.properties['ThumbprintList'])) {
      const ThumbprintList = [...stringList(thumbprints)]
      await deployer.call('iam', 'UpdateOpenIDConnectProviderThumbprint', { ...at, ThumbprintList })
    }
    const TagKeys = before.tags.map(({ Key }) => Key).filter((key) => !tags.some(({ Key }) => Key === key))
    if (TagKeys.length > 0) await deployer.call('iam', 'UntagOpenIDConnectProvider', { ...at, TagKeys })
    if (tags.length > 0) await deployer.call('iam', 'TagOpenIDConnectProvider', { ...at, Tags: tags })
    return made
  },

  async remove({ physicalId }, _properties, deployer) {
    const at = { OpenIDConnectProviderArn: physicalId }
    await unlessMissing(deployer.call('iam', 'DeleteOpenIDConnectProvider', at))
  }
}
