import { messageOf, UserError } from '../engine/errors.js'
import { canonical, isMap } from '../engine/json.js'
import { readOneYaml } from '../engine/yaml.js'
import { type ListText, listText } from './map-roles-text.js'

/** One line of aws-auth's mapRoles. */
export interface RoleMapping {
  readonly rolearn: string
  readonly username: string
  readonly groups: readonly string[]
  readonly [field: string]: unknown
}

/** What EKS documents for Linux nodes. A session of a role that lies under a path comes without it, so no line may have it. */
export function nodeMapping(roleArn: string): RoleMapping {
  return {
    rolearn: roleArn.replace(/:role\/.*\//, ':role/'),
    username: 'system:node:{{EC2PrivateDNSName}}',
    groups: ['system:bootstrappers', 'system:nodes']
  }
}

/** Throws UserError when the text is no YAML list: nothing may be added to what cannot be understood. */
export function parseMapRoles(text: string): readonly unknown[] {
  let value: unknown
  try {
    value = readOneYaml(text)
  } catch (error) {
    throw unreadable(messageOf(error), error)
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
  /** The role is there, but cannot join as a node with what its line says, or gets more than a node should. */
  | {
      readonly state: 'different'
      readonly index: number
      readonly lacks: readonly string[]
      readonly surplus: readonly string[]
    }

/** Of kube-proxy on Windows nodes, which have the same role and need it (EKS user guide, Windows support). */
const ofOtherNodes = ['eks:kube-proxy-windows']

/**
 * EKS compares role ARNs without regard to case; a role's later line wins over its earlier one. `alone`: the role is for
 * nodes and nothing else, so that a group besides theirs is one that every node is given.
 */
export function mappingState(mappings: readonly unknown[], wanted: RoleMapping, alone = false): MappingState {
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
  const surplus = alone ? groups.map(String).filter((group) => !isOfNodes(group, wanted)) : []
  return lacks.length + surplus.length === 0
    ? { state: 'as wanted' }
    : { state: 'different', index, lacks, surplus }
}

function isOfNodes(group: string, wanted: RoleMapping): boolean {
  return wanted.groups.includes(group) || ofOtherNodes.includes(group)
}

/**
 * The text with the mapping in it: appended in the list's own form, or the wrong line of this very role corrected. Every
 * other character stays as it is. Throws UserError where that cannot be done, with what to add by hand.
 */
export function withMapping(text: string, wanted: RoleMapping, alone = false): string {
  const mappings = parseMapRoles(text)
  const state = mappingState(mappings, wanted, alone)
  if (state.state === 'as wanted') return text
  const list = listText(text)
  if (state.state === 'missing') {
    return edited(text, appended(text, list, wanted), [...mappings, wanted], `add\n${block('', wanted)}`)
  }
  const old = mappings[state.index]
  const corrected = {
    ...(isMap(old) ? old : {}),
    username: wanted.username,
    groups: union(isMap(old) ? old['groups'] : undefined, wanted.groups).filter(
      (group) => !state.surplus.includes(String(group))
    )
  }
  const item = list.items[state.index]
  const right = mappings.map((mapping, index) => (index === state.index ? corrected : mapping))
  const line = list.style === 'flow' ? JSON.stringify(corrected) : block(indentationOf(text, list), corrected)
  const changed = item === undefined ? text : `${text.slice(0, item.start)}${line}${text.slice(item.end)}`
  return edited(text, changed, right, `write the line of ${wanted.rolearn} as\n${block('', corrected)}`)
}

/** The text without the mapping, all else as it is; undefined when it is not there. Throws UserError as withMapping. */
export function withoutMapping(text: string, wanted: RoleMapping): string | undefined {
  const mappings = parseMapRoles(text)
  const isOurs = (mapping: unknown): boolean =>
    isMap(mapping) && String(mapping['rolearn']).toLowerCase() === wanted.rolearn.toLowerCase()
  if (!mappings.some(isOurs)) return undefined
  const list = listText(text)
  const cut = mappings.reduceRight<string>((rest, mapping, index) => {
    const item = list.items[index]
    if (!isOurs(mapping) || item === undefined) return rest
    if (list.style === 'block') return rest.slice(0, item.start) + rest.slice(item.end)
    const [before, after] = [list.items[index - 1], list.items[index + 1]]
    if (before !== undefined && mappings.slice(0, index).some((one) => !isOurs(one)))
      return rest.slice(0, before.end) + rest.slice(item.end)
    return rest.slice(0, item.start) + rest.slice(after === undefined ? item.end : after.start)
  }, text)
  const rest = mappings.filter((mapping) => !isOurs(mapping))
  return edited(text, cut, rest, `take the line of ${wanted.rolearn} out`)
}

/** The changed text where it says what it should; whatever a reader could not express is nobody's to write anew. */
function edited(text: string, changed: string, mappings: readonly unknown[], byHand: string): string {
  if (changed !== text && says(changed, mappings)) return changed
  throw new UserError(
    'ConfigMap kube-system/aws-auth',
    'mapRoles is written in a way that cannot be edited without rewriting the lines of others',
    `Edit it by hand (kubectl -n kube-system edit configmap aws-auth): ${byHand.trimEnd()}\nThen run again.`,
    { state: 'The ConfigMap was left as it is.' }
  )
}

function says(text: string, mappings: readonly unknown[]): boolean {
  try {
    return canonical(parseMapRoles(text)) === canonical(mappings)
  } catch {
    return false
  }
}

function appended(text: string, list: ListText, wanted: RoleMapping): string {
  if (list.style === 'flow' && list.items.length > 0) {
    const last = list.items.at(-1)?.end ?? list.start + 1
    return `${text.slice(0, last)}, ${JSON.stringify(wanted)}${text.slice(last)}`
  }
  // An empty pair of brackets, or an explicit null, gives way to the list.
  const base = list.style === 'flow' ? text.slice(0, list.start) + text.slice(list.end) : text
  const kept = list.style === undefined ? base.replace(/^(null|~)(?=[ \t]*(#.*)?$)/m, '') : base
  // What stands behind the document's end mark is no part of it.
  const end = /^\.\.\.[ \t]*(#.*)?\r?\n?\s*$/m.exec(kept)
  const [inside, behind] = end === null ? [kept, ''] : [kept.slice(0, end.index), end[0]]
  const open = inside.trim() === '' ? '' : inside
  const separator = open === '' || open.endsWith('\n') ? '' : '\n'
  return open + separator + block(indentationOf(text, list), wanted) + behind
}

/** Spaces before the list's dashes. */
function indentationOf(text: string, list: ListText): string {
  const first = list.style === 'block' ? list.items[0] : undefined
  return first === undefined ? '' : (/^ */.exec(text.slice(first.start))?.[0] ?? '')
}

/** One item of the list; what is no text or list of texts is written as JSON, which is YAML. */
function block(indentation: string, mapping: Readonly<Record<string, unknown>>): string {
  return Object.entries(mapping)
    .flatMap(([key, value]) =>
      Array.isArray(value) && value.length > 0
        ? [`${key}:`, ...value.map((entry) => `- ${scalar(entry)}`)]
        : [`${key}: ${scalar(value)}`]
    )
    .map((line, index) => `${indentation}${index === 0 ? '- ' : '  '}${line}\n`)
    .join('')
}

/** As it is where no reader takes it for anything else. */
function scalar(value: unknown): string {
  return typeof value === 'string' && /^(arn|system|eks):[\w:/.{}+=,@-]*[\w}]$/.test(value)
    ? value
    : JSON.stringify(value)
}

function union(groups: unknown, wanted: readonly string[]): unknown[] {
  const has: unknown[] = Array.isArray(groups) ? groups : []
  return [...has, ...wanted.filter((group) => !has.includes(group))]
}
