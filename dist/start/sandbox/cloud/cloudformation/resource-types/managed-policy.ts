import { answered, answeredList, stringList, stringProperty, text, unlessMissing } from '../handler.js'
import type { ResourceType } from '../handler.js'
import type { Deployer } from '../invoke.js'
import { sameJson, type JsonObject } from '../json.js'

const mostVersions = 5

const attachments = [
  { property: 'Roles', attach: 'AttachRolePolicy', detach: 'DetachRolePolicy', key: 'RoleName' },
  { property: 'Users', attach: 'AttachUserPolicy', detach: 'DetachUserPolicy', key: 'UserName' },
  { property: 'Groups', attach: 'AttachGroupPolicy', detach: 'DetachGroupPolicy', key: 'GroupName' }
] as const

/** AWS::IAM::ManagedPolicy. Not taggable: a stack's tags do not reach it. */
export const managedPolicy: ResourceType = {
  name: 'AWS::IAM::ManagedPolicy',
  properties: new Set([
    'Description',
    'Groups',
    'ManagedPolicyName',
    'Path',
    'PolicyDocument',
    'Roles',
    'Users'
  ]),
  required: ['PolicyDocument'],
  createOnly: new Set(['ManagedPolicyName', 'Description', 'Path']),
  taggable: false,
  attributes: new Set(['PolicyArn', 'PolicyId']),
  capability: (properties) =>
    properties['ManagedPolicyName'] === undefined ? 'CAPABILITY_IAM' : 'CAPABILITY_NAMED_IAM',

  async create({ properties, deployer, generatedName, claim }) {
    const description = stringProperty(properties, 'Description')
    const path = stringProperty(properties, 'Path')
    const created = await deployer.call('iam', 'CreatePolicy', {
      PolicyName: stringProperty(properties, 'ManagedPolicyName') ?? generatedName(128),
      PolicyDocument: text(properties['PolicyDocument'] ?? {}),
      ...(path === undefined ? {} : { Path: path }),
      ...(description === undefined ? {} : { Description: description })
    })
    const arn = answered(created, 'Policy', 'Arn')
    claim(arn)
    await changeAttachments(deployer, arn, {}, properties)
    return {
      physicalId: arn,
      attributes: { PolicyArn: arn, PolicyId: answered(created, 'Policy', 'PolicyId') }
    }
  },

  async update({ properties, deployer }, made, before) {
    const arn = made.physicalId
    if (!sameJson(properties['PolicyDocument'], before.properties['PolicyDocument'])) {
      const versions = await otherVersions(deployer, arn)
      // IAM keeps five; the oldest that is not in force makes room.
      const oldest = versions.at(-1)
      if (versions.length >= mostVersions - 1 && oldest !== undefined) {
        await deployer.call('iam', 'DeletePolicyVersion', { PolicyArn: arn, VersionId: oldest })
      }
      await deployer.call('iam', 'CreatePolicyVersion', {
        PolicyArn: arn,
        PolicyDocument: text(properties['PolicyDocument'] ?? {}),
        SetAsDefault: true
      })
    }
    await changeAttachments(deployer, arn, before.properties, properties)
    return made
  },

  async remove({ physicalId: arn }, properties, deployer) {
    if ((await unlessMissing(deployer.call('iam', 'GetPolicy', { PolicyArn: arn }))) === undefined) return
    await deployer.call('iam', 'ListEntitiesForPolicy', { PolicyArn: arn })
    await changeAttachments(deployer, arn, properties, {})
    for (const version of await otherVersions(deployer, arn)) {
      await unlessMissing(deployer.call('iam', 'DeletePolicyVersion', { PolicyArn: arn, VersionId: version }))
    }
    await unlessMissing(deployer.call('iam', 'DeletePolicy', { PolicyArn: arn }))
  }
}

/** Versions that are not in force, newest first. */
async function otherVersions(deployer: Deployer, arn: string): Promise<readonly string[]> {
  const listed = await deployer.call('iam', 'ListPolicyVersions', { PolicyArn: arn })
  return answeredList(listed, 'Versions')
    .filter((version) => !inForce(version))
    .map((version) => answered(version, 'VersionId'))
    .toSorted((one, other) => Number(other.slice(1)) - Number(one.slice(1)))
}

function inForce(version: unknown): boolean {
  if (typeof version !== 'object' || version === null) return false
  const flag: unknown = Reflect.get(version, 'IsDefaultVersion')
  return flag === true || flag === 'true'
}

async function changeAttachments(
  deployer: Deployer,
  arn: string,
  before: JsonObject,
  wanted: JsonObject
): Promise<void> {
  for (const { property, attach, detach, key } of attachments) {
    const [old, now] = [stringList(before[property]), stringList(wanted[property])]
    for (const name of now.filter((one) => !old.includes(one))) {
      await deployer.call('iam', attach, { PolicyArn: arn, [key]: name })
    }
    for (const name of old.filter((one) => !now.includes(one))) {
      await unlessMissing(deployer.call('iam', detach, { PolicyArn: arn, [key]: name }))
    }
  }
}
