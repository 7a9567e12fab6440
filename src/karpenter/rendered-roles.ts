import { isMap, type JsonMap } from '../engine/json.js'
import type { RenderedPolicy, RenderedResource, RenderedStack } from './rendered-stack.js'
import { unknownValue } from './template-functions.js'

/** A role of the stack as its template comes to. What it does not say, or only CloudFormation can know, is left out. */
export interface RenderedRole {
  readonly logicalId: string
  readonly name: string
  readonly arn: string
  readonly description?: string
  /** Seconds. */
  readonly maxSessionDuration?: number
  readonly trust?: JsonMap
  readonly policyArns?: readonly string[]
  /** By name; null for a document that is not known. */
  readonly inline: Readonly<Record<string, JsonMap | null>>
  readonly permissionsBoundary?: string | undefined
  readonly tags: Readonly<Record<string, string>>
}

/** Managed policies all of whose document is known before the stack is made. */
export function knownPolicies({ policies }: Pick<RenderedStack, 'policies'>): readonly RenderedPolicy[] {
  return policies.filter((policy) => document(policy.document) !== undefined)
}

/** The roles whose names the template gives. */
export function renderedRoles({ resources }: Pick<RenderedStack, 'resources'>): readonly RenderedRole[] {
  return resources.flatMap((resource) => {
    const { logicalId, type, name, arn, properties } = resource
    if (type !== 'AWS::IAM::Role' || name === undefined || arn === undefined) return []
    const duration = Number(properties['MaxSessionDuration'])
    const description = text(properties['Description'])
    const trust = document(properties['AssumeRolePolicyDocument'])
    const policyArns = policyArnsOf(name, resource, resources)
    const permissionsBoundary = text(properties['PermissionsBoundary'])
    return [
      {
        logicalId,
        name,
        arn,
        ...(description !== undefined && { description }),
        ...(Number.isInteger(duration) && { maxSessionDuration: duration }),
        ...(trust !== undefined && { trust }),
        ...(policyArns !== undefined && { policyArns }),
        inline: inlineOf(name, resource, resources),
        ...(permissionsBoundary !== undefined && { permissionsBoundary }),
        tags: Object.fromEntries(
          list(properties['Tags'])
            .filter(isMap)
            .map((tag) => [String(tag['Key']), String(tag['Value'])])
        )
      }
    ]
  })
}

/** The role's own list, and managed policies of the template that name the role. */
function policyArnsOf(
  name: string,
  { properties }: RenderedResource,
  resources: readonly RenderedResource[]
): readonly string[] | undefined {
  const own = list(properties['ManagedPolicyArns'])
  const policies = resources
    .filter((one) => one.type === 'AWS::IAM::ManagedPolicy' && list(one.properties['Roles']).includes(name))
    .map((one) => one.arn)
  const all = [...own, ...policies]
  return all.every(isKnownText) ? [...new Set(all)] : undefined
}

/** The role's own list, and policies of the template that name the role: AWS::IAM::Policy and AWS::IAM::RolePolicy. */
function inlineOf(
  name: string,
  { properties }: RenderedResource,
  resources: readonly RenderedResource[]
): Readonly<Record<string, JsonMap | null>> {
  const others = resources.filter(
    (one) =>
      (one.type === 'AWS::IAM::Policy' && list(one.properties['Roles']).includes(name)) ||
      (one.type === 'AWS::IAM::RolePolicy' && one.properties['RoleName'] === name)
  )
  const policies = [...list(properties['Policies']).filter(isMap), ...others.map((one) => one.properties)]
  return Object.fromEntries(
    policies.map((policy) => [String(policy['PolicyName']), document(policy['PolicyDocument']) ?? null])
  )
}

function document(value: unknown): JsonMap | undefined {
  if (JSON.stringify(value ?? null).includes(unknownValue)) return undefined
  const parsed: unknown = typeof value === 'string' ? JSON.parse(value) : value
  return isMap(parsed) ? parsed : undefined
}

function text(value: unknown): string | undefined {
  return isKnownText(value) ? value : undefined
}

function isKnownText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes(unknownValue)
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value]
}
