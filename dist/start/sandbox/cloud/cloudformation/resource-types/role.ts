import { alreadyExists, answered, stringList, stringProperty, text, unlessMissing } from '../handler.js'
import type { Tag } from '../../input.js'
import type { HandlerRequest, Made, ResourceType } from '../handler.js'
import type { Deployer } from '../invoke.js'
import { isJsonList, isJsonObject, sameJson, type JsonObject } from '../json.js'

const type = 'AWS::IAM::Role'

/** AWS::IAM::Role. */
export const role: ResourceType = {
  name: type,
  properties: new Set([
    'AssumeRolePolicyDocument',
    'Description',
    'ManagedPolicyArns',
    'MaxSessionDuration',
    'Path',
    'PermissionsBoundary',
    'Policies',
    'RoleName',
    'Tags'
  ]),
  required: ['AssumeRolePolicyDocument'],
  createOnly: new Set(['RoleName', 'Path']),
  taggable: true,
  attributes: new Set(['Arn', 'RoleId']),
  capability: (properties) =>
    properties['RoleName'] === undefined ? 'CAPABILITY_IAM' : 'CAPABILITY_NAMED_IAM',

  async create({ properties, tags, deployer, generatedName, claim }) {
    const name = stringProperty(properties, 'RoleName') ?? generatedName(64)
    if ((await unlessMissing(deployer.call('iam', 'GetRole', { RoleName: name }))) !== undefined) {
      throw alreadyExists(type, name)
    }
    const duration = stringProperty(properties, 'MaxSessionDuration')
    const created = await deployer.call('iam', 'CreateRole', {
      RoleName: name,
      AssumeRolePolicyDocument: text(properties['AssumeRolePolicyDocument'] ?? {}),
      ...optional('Path', stringProperty(properties, 'Path')),
      ...optional('Description', stringProperty(properties, 'Description')),
      ...optional('PermissionsBoundary', stringProperty(properties, 'PermissionsBoundary')),
      ...(duration === undefined ? {} : { MaxSessionDuration: Number(duration) }),
      ...(tags.length === 0 ? {} : { Tags: tags })
    })
    claim(name)
    await attach(deployer, name, stringList(properties['ManagedPolicyArns']))
    await putInline(deployer, name, inlinePolicies(properties))
    return {
      physicalId: name,
      attributes: { Arn: answered(created, 'Role', 'Arn'), RoleId: answered(created, 'Role', 'RoleId') }
    }
  },

  async update(request, made, before) {
    const { properties, deployer } = request
    const name = made.physicalId
    const changed = (key: string): boolean => !sameJson(properties[key], before.properties[key])
    // At every update, whether it changes these or not: a role without a description was denied it in the field
    // (alphagov/gsp#990).
    await deployer.call('iam', 'UpdateRole', {
      RoleName: name,
      Description: stringProperty(properties, 'Description') ?? '',
      MaxSessionDuration: Number(stringProperty(properties, 'MaxSessionDuration') ?? 3600)
    })
    if (changed('AssumeRolePolicyDocument')) {
      await deployer.call('iam', 'UpdateAssumeRolePolicy', {
        RoleName: name,
        PolicyDocument: text(properties['AssumeRolePolicyDocument'] ?? {})
      })
    }
    if (changed('PermissionsBoundary'))
      await setBoundary(deployer, name, stringProperty(properties, 'PermissionsBoundary'))
    const [old, wanted] = [before.properties, properties].map((own) => stringList(own['ManagedPolicyArns']))
    await attach(
      deployer,
      name,
      (wanted ?? []).filter((arn) => old?.includes(arn) !== true)
    )
    await detach(
      deployer,
      name,
      (old ?? []).filter((arn) => wanted?.includes(arn) !== true)
    )
    const [oldInline, inline] = [inlinePolicies(before.properties), inlinePolicies(properties)]
    await putInline(
      deployer,
      name,
      new Map([...inline].filter(([key, document]) => oldInline.get(key) !== document))
    )
    await deleteInline(
      deployer,
      name,
      [...oldInline.keys()].filter((key) => !inline.has(key))
    )
    await retag(request, name, before.tags)
    return made
  },

  async remove({ physicalId: name }: Made, properties, deployer) {
    if ((await unlessMissing(deployer.call('iam', 'GetRole', { RoleName: name }))) === undefined) return
    // It looks at all of them and takes away its own: with others' still there the role stays.
    await deployer.call('iam', 'ListAttachedRolePolicies', { RoleName: name })
    await detach(deployer, name, stringList(properties['ManagedPolicyArns']))
    await deployer.call('iam', 'ListRolePolicies', { RoleName: name })
    await deleteInline(deployer, name, [...inlinePolicies(properties).keys()])
    await unlessMissing(deployer.call('iam', 'DeleteRole', { RoleName: name }))
  }
}

function optional(key: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [key]: value }
}

async function attach(deployer: Deployer, name: string, arns: readonly string[]): Promise<void> {
  for (const arn of arns) await deployer.call('iam', 'AttachRolePolicy', { RoleName: name, PolicyArn: arn })
}

async function detach(deployer: Deployer, name: string, arns: readonly string[]): Promise<void> {
  for (const arn of arns) {
    await unlessMissing(deployer.call('iam', 'DetachRolePolicy', { RoleName: name, PolicyArn: arn }))
  }
}

async function putInline(
  deployer: Deployer,
  name: string,
  policies: ReadonlyMap<string, string>
): Promise<void> {
  for (const [policy, document] of policies) {
    await deployer.call('iam', 'PutRolePolicy', {
      RoleName: name,
      PolicyName: policy,
      PolicyDocument: document
    })
  }
}

async function deleteInline(deployer: Deployer, name: string, policies: readonly string[]): Promise<void> {
  for (const policy of policies) {
    await unlessMissing(deployer.call('iam', 'DeleteRolePolicy', { RoleName: name, PolicyName: policy }))
  }
}

async function setBoundary(deployer: Deployer, name: string, arn: string | undefined): Promise<void> {
  if (arn === undefined) await deployer.call('iam', 'DeleteRolePermissionsBoundary', { RoleName: name })
  else await deployer.call('iam', 'PutRolePermissionsBoundary', { RoleName: name, PermissionsBoundary: arn })
}

async function retag(
  { tags, deployer }: HandlerRequest,
  name: string,
  before: readonly Tag[]
): Promise<void> {
  const gone = before.map(({ Key }) => Key).filter((key) => !tags.some(({ Key }) => Key === key))
  const changed = tags.filter(
    ({ Key, Value }) => !before.some((old) => old.Key === Key && old.Value === Value)
  )
  if (gone.length + changed.length > 0) await deployer.call('iam', 'ListRoleTags', { RoleName: name })
  if (gone.length > 0) await deployer.call('iam', 'UntagRole', { RoleName: name, TagKeys: gone })
  if (changed.length > 0) await deployer.call('iam', 'TagRole', { RoleName: name, Tags: changed })
}

function inlinePolicies(properties: JsonObject): ReadonlyMap<string, string> {
  const policies = properties['Policies']
  return new Map(
    (isJsonList(policies) ? policies : []).flatMap((policy) =>
      isJsonObject(policy)
        ? [[text(policy['PolicyName'] ?? ''), text(policy['PolicyDocument'] ?? {})] as const]
        : []
    )
  )
}
