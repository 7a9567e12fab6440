import { AwsError } from '../service.js'
import { isJsonList, isJsonObject, type Json, type JsonObject } from './json.js'
import { parseTemplateText } from './template-text.js'

export interface ParameterDeclaration {
  readonly type: string
  readonly declaration: JsonObject
}

export interface ResourceDeclaration {
  readonly type: string
  readonly properties: JsonObject
  readonly dependsOn: readonly string[]
  readonly condition?: string
  readonly deletionPolicy: 'Delete' | 'Retain' | 'RetainExceptOnCreate'
}

export interface OutputDeclaration {
  readonly value: Json
  readonly description?: string
  readonly condition?: string
}

export interface Template {
  /** AWSTemplateFormatVersion, where it is given. */
  readonly version?: string
  readonly description?: string
  readonly parameters: ReadonlyMap<string, ParameterDeclaration>
  readonly mappings: JsonObject
  readonly conditions: JsonObject
  readonly resources: ReadonlyMap<string, ResourceDeclaration>
  readonly outputs: ReadonlyMap<string, OutputDeclaration>
}

const sections = new Set([
  'AWSTemplateFormatVersion',
  'Description',
  'Metadata',
  'Parameters',
  'Mappings',
  'Conditions',
  'Resources',
  'Outputs'
])

const resourceKeys = new Set([
  'Type',
  'Properties',
  'DependsOn',
  'Condition',
  'DeletionPolicy',
  'UpdateReplacePolicy',
  'UpdatePolicy',
  'CreationPolicy',
  'Metadata'
])

const parameterTypes = new Set(['String', 'Number', 'CommaDelimitedList', 'List<Number>', 'List<String>'])

function invalid(message: string): AwsError {
  return new AwsError('ValidationError', message)
}

/** The template's declarations. Throws CloudFormation's ValidationError; `knownTypes` are the resource types to be had. */
export function readTemplate(text: string, knownTypes: ReadonlySet<string>): Template {
  const root = parseTemplateText(text)
  if (!isJsonObject(root)) throw invalid('Template format error: unsupported structure.')
  const foreign = Object.keys(root).filter((key) => !sections.has(key))
  if (foreign.length > 0) throw invalid(`Invalid template property or properties [${foreign.join(', ')}]`)
  const version = root['AWSTemplateFormatVersion']
  if (version !== undefined && version !== '2010-09-09') {
    throw invalid('Template format error: unsupported value for AWSTemplateFormatVersion.')
  }
  const description = root['Description']
  if (description !== undefined && typeof description !== 'string') {
    throw invalid('Template format error: Description must be a string.')
  }
  const resources = readResources(section(root, 'Resources'))
  if (resources.size === 0) {
    throw invalid('Template format error: At least one Resources member must be defined.')
  }
  const unknown = new Set(
    [...resources.values()].map(({ type }) => type).filter((type) => !knownTypes.has(type))
  )
  if (unknown.size > 0) {
    throw invalid(`Template format error: Unrecognized resource types: [${[...unknown].join(', ')}]`)
  }
  return {
    ...(version === undefined ? {} : { version }),
    ...(description === undefined ? {} : { description }),
    parameters: readParameters(section(root, 'Parameters')),
    mappings: section(root, 'Mappings'),
    conditions: section(root, 'Conditions'),
    resources,
    outputs: readOutputs(section(root, 'Outputs'))
  }
}

function section(root: JsonObject, name: string): JsonObject {
  const value = root[name]
  if (value === undefined) return {}
  if (!isJsonObject(value)) throw invalid(`Template format error: [/${name}] '${name}' is not a map`)
  return value
}

function readParameters(declarations: JsonObject): ReadonlyMap<string, ParameterDeclaration> {
  return new Map(
    Object.entries(declarations).map(([name, declaration]) => {
      if (!isJsonObject(declaration)) throw invalid(`Template format error: Parameter ${name} is not a map`)
      const type = declaration['Type']
      if (typeof type !== 'string') {
        throw invalid(`Template format error: Every Parameters object must contain a Type member.`)
      }
      if (!parameterTypes.has(type))
        throw invalid(`Template format error: Unrecognized parameter type: ${type}`)
      return [name, { type, declaration }]
    })
  )
}

function readResources(declarations: JsonObject): ReadonlyMap<string, ResourceDeclaration> {
  return new Map(
    Object.entries(declarations).map(([name, declaration]) => [name, readResource(name, declaration)])
  )
}

function readResource(name: string, declaration: Json): ResourceDeclaration {
  if (!/^[a-zA-Z0-9]+$/.test(name)) {
    throw invalid(`Template format error: Resource name ${name} is non alphanumeric.`)
  }
  if (!isJsonObject(declaration)) {
    throw invalid(`Template format error: [/Resources/${name}] resource definition is malformed`)
  }
  const foreign = Object.keys(declaration).find((key) => !resourceKeys.has(key))
  if (foreign !== undefined) throw invalid(`Invalid template resource property '${foreign}'`)
  const type = declaration['Type']
  if (typeof type !== 'string') {
    throw invalid(
      `Template format error: [/Resources/${name}] Every Resources object must contain a Type member.`
    )
  }
  const properties = declaration['Properties'] ?? {}
  if (!isJsonObject(properties)) {
    throw invalid(`Template format error: [/Resources/${name}/Properties] Properties must be a map`)
  }
  const condition = declaration['Condition']
  const deletionPolicy = declaration['DeletionPolicy'] ?? 'Delete'
  if (
    deletionPolicy !== 'Delete' &&
    deletionPolicy !== 'Retain' &&
    deletionPolicy !== 'RetainExceptOnCreate'
  ) {
    throw invalid(
      `Template format error: Unrecognized DeletionPolicy ${JSON.stringify(deletionPolicy)} for resource ${name}`
    )
  }
  return {
    type,
    properties,
    dependsOn: dependsOn(name, declaration['DependsOn']),
    ...(typeof condition === 'string' ? { condition } : {}),
    deletionPolicy
  }
}

function dependsOn(name: string, value: Json | undefined): readonly string[] {
  if (value === undefined) return []
  const names = isJsonList(value) ? value : [value]
  return names.map((other) => {
    if (typeof other !== 'string') {
      throw invalid(`Template format error: DependsOn of ${name} must be a string or list of strings.`)
    }
    return other
  })
}

function readOutputs(declarations: JsonObject): ReadonlyMap<string, OutputDeclaration> {
  return new Map(
    Object.entries(declarations).map(([name, declaration]) => {
      if (!isJsonObject(declaration) || declaration['Value'] === undefined) {
        throw invalid('Template format error: Every Outputs member must contain a Value object')
      }
      const description = declaration['Description']
      const condition = declaration['Condition']
      return [
        name,
        {
          value: declaration['Value'],
          ...(typeof description === 'string' ? { description } : {}),
          ...(typeof condition === 'string' ? { condition } : {})
        }
      ]
    })
  )
}
