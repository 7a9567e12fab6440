import { AwsError } from '../service.js'
import { conditionHolds, evaluate, references, type Scope } from './functions.js'
import type { Tag } from '../input.js'
import { text, type Made, type ResourceType } from './handler.js'
import { isJsonList, isJsonObject, type Json, type JsonObject } from './json.js'
import { parameterReference } from './parameters.js'
import type { Definition, Output } from './stack.js'
import type { ResourceDeclaration } from './template.js'

/** What is known of the stack beside its template. */
export interface Surroundings {
  readonly stackId: string
  readonly stackName: string
  readonly region: string
  readonly accountId: string
  readonly partition: string
  readonly urlSuffix: string
}

export type Lookup = (logicalId: string) => Made | undefined

/** Stands for a value that only the execution will tell. */
export const knownAfterApply = '{{changeSet:KNOWN_AFTER_APPLY}}'

function invalid(message: string): AwsError {
  return new AwsError('ValidationError', message)
}

export function scopeOf(definition: Definition, around: Surroundings, made: Lookup): Scope {
  const { template, parameters } = definition
  const pseudo: Readonly<Record<string, Json>> = {
    'AWS::AccountId': around.accountId,
    'AWS::Partition': around.partition,
    'AWS::Region': around.region,
    'AWS::StackId': around.stackId,
    'AWS::StackName': around.stackName,
    'AWS::URLSuffix': around.urlSuffix,
    'AWS::NotificationARNs': []
  }
  return {
    parameter(name) {
      const declared = template.parameters.get(name)
      if (declared !== undefined) return parameterReference(declared, parameters.get(name) ?? '')
      return pseudo[name]
    },
    mappings: template.mappings,
    conditions: template.conditions,
    reference: (logicalId) => made(logicalId)?.physicalId ?? knownAfterApply,
    attribute: (logicalId, name) => made(logicalId)?.attributes[name] ?? knownAfterApply
  }
}

/** The resources that the template's conditions leave in. */
export function activeResources(
  definition: Definition,
  scope: Scope
): ReadonlyMap<string, ResourceDeclaration> {
  return new Map(
    [...definition.template.resources].filter(
      ([, { condition }]) => condition === undefined || conditionHolds(condition, scope)
    )
  )
}

/** Logical ids that must stand before this one. */
export function dependenciesOf(
  declaration: ResourceDeclaration,
  active: ReadonlyMap<string, unknown>
): readonly string[] {
  const named = [...references(declaration.properties).map(({ name }) => name), ...declaration.dependsOn]
  return [...new Set(named)].filter((name) => active.has(name))
}

export function resolvedProperties(declaration: ResourceDeclaration, scope: Scope): JsonObject {
  const properties = evaluate(declaration.properties, scope)
  return isJsonObject(properties) ? properties : {}
}

/** A resource's own tags before the stack's, for the types that take any. */
export function resourceTags(
  type: ResourceType,
  properties: JsonObject,
  stackTags: readonly Tag[]
): readonly Tag[] {
  if (!type.taggable) return []
  const listed = properties['Tags']
  const own = (isJsonList(listed) ? listed : []).flatMap((tag) =>
    isJsonObject(tag) && typeof tag['Key'] === 'string' && tag['Value'] !== undefined
      ? [{ Key: tag['Key'], Value: text(tag['Value']) }]
      : []
  )
  return [...own, ...stackTags.filter(({ Key }) => !own.some((tag) => tag.Key === Key))]
}

export function outputsOf(definition: Definition, scope: Scope): readonly Output[] {
  return [...definition.template.outputs].flatMap(([key, { value, description, condition }]) => {
    if (condition !== undefined && !conditionHolds(condition, scope)) return []
    const result = evaluate(value, scope)
    if (typeof result !== 'string' && typeof result !== 'number' && typeof result !== 'boolean') {
      throw invalid(`Template format error: Output ${key} is malformed.`)
    }
    return [{ key, value: String(result), ...(description === undefined ? {} : { description }) }]
  })
}

/** What can be told of a template without running it: names that lead nowhere, circles, conditions, functions. */
export function checkTemplate(
  definition: Definition,
  around: Surroundings,
  types: ReadonlyMap<string, ResourceType>
): void {
  const { template } = definition
  const scope = scopeOf(definition, around, () => undefined)
  const unresolved = new Set<string>()
  for (const [logicalId, { properties, dependsOn }] of template.resources) {
    for (const { name, attribute } of references(properties)) {
      const target = template.resources.get(name)
      if (attribute !== undefined) {
        if (target === undefined) {
          throw invalid(`Template error: instance of Fn::GetAtt references undefined resource ${name}`)
        }
        if (types.get(target.type)?.attributes.has(attribute) !== true) {
          throw invalid(
            `Template error: resource ${name} does not support attribute type ${attribute} in Fn::GetAtt`
          )
        }
      } else if (target === undefined && name !== 'AWS::NoValue' && scope.parameter(name) === undefined) {
        unresolved.add(name)
      }
    }
    for (const name of dependsOn) if (!template.resources.has(name)) unresolved.add(name)
    if (dependsOn.includes(logicalId)) throw invalid(`Circular dependency between resources: [${logicalId}]`)
  }
  if (unresolved.size > 0) {
    throw invalid(
      `Template format error: Unresolved resource dependencies [${[...unresolved].join(', ')}] in the Resources block of the template`
    )
  }
  const active = activeResources(definition, scope)
  for (const declaration of active.values()) evaluate(declaration.properties, scope)
  const circle = circularDependency(active)
  if (circle.length > 0) throw invalid(`Circular dependency between resources: [${circle.join(', ')}]`)
  outputsOf(definition, scope)
}

/** Throws when the template makes IAM resources that the caller did not acknowledge. */
export function checkCapabilities(definition: Definition, types: ReadonlyMap<string, ResourceType>): void {
  const needed = new Set(
    [...definition.template.resources.values()].map(({ type, properties }) =>
      types.get(type)?.capability(properties)
    )
  )
  const given = new Set(definition.capabilities)
  const lacks = needed.has('CAPABILITY_NAMED_IAM')
    ? !given.has('CAPABILITY_NAMED_IAM')
    : needed.has('CAPABILITY_IAM') && !given.has('CAPABILITY_IAM') && !given.has('CAPABILITY_NAMED_IAM')
  if (!lacks) return
  const wanted = needed.has('CAPABILITY_NAMED_IAM') ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM'
  throw new AwsError('InsufficientCapabilitiesException', `Requires capabilities : [${wanted}]`)
}

/** Why the properties are not those of the type; undefined when they are. */
export function propertyFault(type: ResourceType, properties: JsonObject): string | undefined {
  const extraneous = Object.keys(properties).filter((key) => !type.properties.has(key))
  const missing = type.required.filter((key) => properties[key] === undefined)
  const faults = [
    ...missing.map((key) => `#: required key [${key}] not found`),
    ...extraneous.map((key) => `#: extraneous key [${key}] is not permitted`)
  ]
  return faults.length === 0 ? undefined : faults.join('\n')
}

function circularDependency(active: ReadonlyMap<string, ResourceDeclaration>): readonly string[] {
  const left = new Map(
    [...active].map(([id, declaration]) => [id, new Set(dependenciesOf(declaration, active))])
  )
  for (;;) {
    const free = [...left].filter(([, needs]) => [...needs].every((need) => !left.has(need)))
    if (free.length === 0) return [...left.keys()]
    for (const [id] of free) left.delete(id)
  }
}
