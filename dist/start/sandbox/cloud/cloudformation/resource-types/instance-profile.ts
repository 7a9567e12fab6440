import { alreadyExists, answered, stringList, stringProperty, unlessMissing } from '../handler.js'
import type { ResourceType } from '../handler.js'
import type { Deployer } from '../invoke.js'
import type { JsonObject } from '../json.js'

const type = 'AWS::IAM::InstanceProfile'

/** AWS::IAM::InstanceProfile. Not taggable: a stack's tags do not reach it. */
export const instanceProfile: ResourceType = {
  name: type,
  properties: new Set(['InstanceProfileName', 'Path', 'Roles']),
  required: ['Roles'],
  createOnly: new Set(['InstanceProfileName', 'Path']),
  taggable: false,
  attributes: new Set(['Arn']),
  capability: (properties) =>
    properties['InstanceProfileName'] === undefined ? 'CAPABILITY_IAM' : 'CAPABILITY_NAMED_IAM',

  async create({ properties, deployer, generatedName, claim }) {
    const name = stringProperty(properties, 'InstanceProfileName') ?? generatedName(128)
    const path = stringProperty(properties, 'Path')
    const taken = deployer.call('iam', 'GetInstanceProfile', { InstanceProfileName: name })
    if ((await unlessMissing(taken)) !== undefined) throw alreadyExists(type, name)
    const created = await deployer.call('iam', 'CreateInstanceProfile', {
      InstanceProfileName: name,
      ...(path === undefined ? {} : { Path: path })
    })
    claim(name)
    await changeRoles(deployer, name, {}, properties)
    return { physicalId: name, attributes: { Arn: answered(created, 'InstanceProfile', 'Arn') } }
  },

  async update({ properties, deployer }, made, before) {
    await changeRoles(deployer, made.physicalId, before.properties, properties)
    return made
  },

  async remove({ physicalId: name }, properties, deployer) {
    const found = deployer.call('iam', 'GetInstanceProfile', { InstanceProfileName: name })
    if ((await unlessMissing(found)) === undefined) return
    await changeRoles(deployer, name, properties, {})
    await unlessMissing(deployer.call('iam', 'DeleteInstanceProfile', { InstanceProfileName: name }))
  }
}

/** A profile holds one role: the old one goes before the new one comes. */
async function changeRoles(
  deployer: Deployer,
  name: string,
  before: JsonObject,
  wanted: JsonObject
): Promise<void> {
  const [old, now] = [stringList(before['Roles']), stringList(wanted['Roles'])]
  const change = async (action: string, RoleName: string): Promise<unknown> =>
    deployer.call('iam', action, { InstanceProfileName: name, RoleName })
  for (const role of old.filter((one) => !now.includes(one))) {
    await unlessMissing(change('RemoveRoleFromInstanceProfile', role))
  }
  for (const role of now.filter((one) => !old.includes(one))) {
    await change('AddRoleToInstanceProfile', role)
  }
}
