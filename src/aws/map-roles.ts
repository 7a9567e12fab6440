import { dump, load } from 'js-yaml'
import { boundedText, boundedValue } from '../engine/bounded-yaml.js'
import { messageOf, UserError } from '../engine/errors.js'
import { canonical, isMap } from '../engine/json.js'

/** One line of aws-auth's mapRoles. */
export interface RoleMapping {
  readonly rolearn: string
  readonly username: string
  readonly groups: readonly string[]
}

/** What EKS documents for Linux nodes. */
export function nodeMapping(roleArn: string): RoleMapping {
  return {
    rolearn: roleArn,
    username: 'system:node:{{EC2PrivateDNSName}}',
    groups: ['system:bootstrappers', 'system:nodes']
  }
}

/** Throws UserError when the text is no YAML list: nothing may be added to what cannot be understood. */
export function parseMapRoles(text: string): readonly unknown[] {
  let value: unknown
  try {
    value = text.trim() === '' ? [] : boundedValue(load(boundedText(text)))
  } catch (error) {
    throw unreadable(messageOf(error).split('\n')[0] ?? '', error)
  }
  if (value === null || value === undefined) return []
  if (!Array.isArray(value)) throw unreadable('it is not a list', undefined)
  return value
}

function unreadable(why: string, cause: unknown): UserError {
  return new UserError(
    'ConfigMap kube-system/aws-auth',
    `mapRoles cannot be read: ${why}`,
    'Correct it (kubectl -n kube-system edit configmap aws-auth), or move the cluster to access entries: ' +
      'aws eks update-cluster-config --access-config authenticationMode=API_AND_CONFIG_MAP',
    { state: 'The ConfigMap was left as it is.', cause }
  )
}

export type MappingState =
  | { readonly state: 'as wanted' }
  | { readonly state: 'missing' }
  /** The role is there, but cannot join as a node with what its line says. */
  | { readonly state: 'different'; readonly index: number; readonly lacks: readonly string[] }

/** EKS compares role ARNs without regard to case; a role's later line wins over its earlier one. */
export function mappingState(mappings: readonly unknown[], wanted: RoleMapping): MappingState {
  const index = mappings.findLastIndex(
    (mapping) =>
      isMap(mapping) &&
      typeof mapping['rolearn'] === 'string' &&
      mapping['rolearn'].toLowerCase() === wanted.rolearn.toLowerCase()
  )
  const mapping = mappings[index]
  if (!isMap(mapping)) return { state: 'missing' }
  const groups: unknown[] = Array.isArray(mapping['groups']) ? mapping['groups'] : []
  const lacks = wanted.groups.filter((group) => !groups.includes(group))
  if (mapping['username'] !== wanted.username) lacks.push(`username ${wanted.username}`)
  return lacks.length === 0 ? { state: 'as wanted' } : { state: 'different', index, lacks }
}

/**
 * The text with the mapping in it. Appended in the list's own indentation, so that all that was there stays byte for byte;
 * only a text that cannot be added to (a list in brackets, a wrong line for this very role) is written anew.
 */
export function withMapping(text: string, wanted: RoleMapping): string {
  const mappings = parseMapRoles(text)
  const state = mappingState(mappings, wanted)
  if (state.state === 'as wanted') return text
  if (state.state === 'different') {
    return dump(
      mappings.map((mapping, index) =>
        index === state.index && isMap(mapping)
          ? {
              ...mapping,
              username: wanted.username,
              groups: union(mapping['groups'], wanted.groups)
            }
          : mapping
      )
    )
  }
  const added = appended(text, wanted)
  return says(added, [...mappings, wanted]) ? added : dump([...mappings, wanted])
}

/** The text without the mapping; undefined when it is not there. */
export function withoutMapping(text: string, wanted: RoleMapping): string | undefined {
  const mappings = parseMapRoles(text)
  const rest = mappings.filter(
    (mapping) =>
      !(isMap(mapping) && String(mapping['rolearn']).toLowerCase() === wanted.rolearn.toLowerCase())
  )
  if (rest.length === mappings.length) return undefined
  const cut = text.replace(block(indentationOf(text), wanted), '')
  return cut !== text && says(cut, rest) ? cut : rest.length === 0 ? '' : dump(rest)
}

function says(text: string, mappings: readonly unknown[]): boolean {
  try {
    return canonical(parseMapRoles(text)) === canonical(mappings)
  } catch {
    return false
  }
}

function appended(text: string, wanted: RoleMapping): string {
  const separator = text === '' || text.endsWith('\n') ? '' : '\n'
  return text + separator + block(indentationOf(text), wanted)
}

/** Spaces before the list's dashes. */
function indentationOf(text: string): string {
  return /^( *)- /m.exec(text)?.[1] ?? ''
}

function block(indentation: string, mapping: RoleMapping): string {
  return [
    `- rolearn: ${mapping.rolearn}`,
    `  username: ${mapping.username}`,
    '  groups:',
    ...mapping.groups.map((group) => `  - ${group}`)
  ]
    .map((line) => `${indentation}${line}\n`)
    .join('')
}

function union(groups: unknown, wanted: readonly string[]): unknown[] {
  const has: unknown[] = Array.isArray(groups) ? groups : []
  return [...has, ...wanted.filter((group) => !has.includes(group))]
}
