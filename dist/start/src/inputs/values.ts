import semver from 'semver'
import { messageOf } from '../engine/errors.js'
import { isMap, type JsonMap } from '../engine/json.js'
import { ofOtherTools } from '../engine/placeholders.js'
import { readOneYaml, templateIn } from '../engine/yaml.js'
import type { SecurityGroupsInput, SubnetsInput } from '../aws/discover.js'
import type { TemplateInput } from '../karpenter/template.js'
import { fileText } from './files.js'
import { entriesOf, list, matching, type Parser, type Reading, word } from './parsers.js'
import { quoted, shown } from './problems.js'

/** What names must look like, by AWS's and Kubernetes' own rules. */
export const cluster = matching(
  /^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$/,
  'use the name of the EKS cluster, letters, digits, - and _, at most 100'
)
export const region = matching(
  /^[a-z]{2}(-[a-z]+)+-\d$/,
  'use an AWS region such as eu-west-1, or set AWS_REGION'
)
export const roleArn = matching(
  /^arn:aws(-cn|-us-gov)?:iam::\d{12}:role\/[\w+=,.@/-]+$/,
  'use the ARN of an IAM role, arn:aws:iam::<account>:role/<name>'
)
export const session = matching(/^[\w+=,.@-]{2,64}$/, 'use 2 to 64 letters, digits and +=,.@-_')
export const namespace = matching(
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  'use a Kubernetes namespace such as karpenter'
)
export const stack = matching(
  /^[A-Za-z][A-Za-z0-9-]{0,127}$/,
  'use letters, digits and -, beginning with a letter, at most 128'
)
export const image = matching(/^[\w][\w./:@-]*$/, 'use an image such as nginx')
/** `none`: undefined. */
export const imageOrNone: Parser<string | undefined> = (value, reading) =>
  value === 'none' ? undefined : image(value, reading)
export const nodePoolName = matching(
  /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/,
  'use names of NodePools, comma-separated'
)
const policyArnPattern = /^arn:aws(-cn|-us-gov)?:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/
/** `none`: no boundary, also where somebody else put one. */
export const boundary = matching(
  new RegExp(`^none$|${policyArnPattern.source}`),
  'use the ARN of an IAM policy, or none'
)
/** Policies of the account or AWS's own. */
export const policyArns = list(matching(policyArnPattern, 'use ARNs of IAM policies, comma-separated'))

export const roleName: Parser<string> = (name, reading) => {
  if (!/^[\w+=,.@-]{1,64}$/.test(name))
    reading.problem(
      `${quoted(name)} (${name.length} characters) is not a role name`,
      'use at most 64 letters, digits and +=,.@-_, without a path'
    )
  return name
}

const exactOrMinor = matching(
  /^\d+\.\d+(\.\d+(-[0-9A-Za-z.-]+)?)?$/,
  'use a version such as 1.14.0, a minor such as 1.14, latest, or lts'
)

/** `minor`: its newest patch. `lts`: that of the newest long-term minor. */
export type VersionInput =
  /** Without a leading v. */
  | { readonly kind: 'exact'; readonly version: string }
  | { readonly kind: 'minor'; readonly minor: string }
  | { readonly kind: 'latest' }
  | { readonly kind: 'lts' }

export const version: Parser<VersionInput> = (value, reading) => {
  if (value === 'latest' || value === 'lts') return { kind: value }
  const given = exactOrMinor(value.replace(/^v/, ''), reading)
  return /^\d+\.\d+$/.test(given) ? { kind: 'minor', minor: given } : { kind: 'exact', version: given }
}

export const accountIds: Parser<readonly string[]> = (value, reading) => {
  const ids = entriesOf(value)
  const wrong = ids.filter((id) => !/^\d{12}$/.test(id))
  if (wrong.length > 0)
    reading.problem(`${quoted(wrong.join(', '))} is not an account id`, 'use 12 digits each, comma-separated')
  return ids
}

export const subnets: Parser<SubnetsInput> = (value, reading) => {
  if (value === 'cluster' || value === 'private') return { kind: value }
  const [, key, of] = /^tag:([^=]+)=(.*)$/s.exec(value) ?? []
  if (key !== undefined && of !== undefined) return { kind: 'tag', key, value: of }
  const right = 'use cluster, private, subnet ids, or tag:key=value'
  return { kind: 'ids', ids: ids(value, /^subnet-[0-9a-f]+$/, right, reading) }
}

export const securityGroups: Parser<SecurityGroupsInput> = (value, reading) => {
  if (value === 'cluster') return { kind: value }
  const right = 'use cluster, or security group ids'
  return { kind: 'ids', ids: ids(value, /^sg-[0-9a-f]+$/, right, reading) }
}

function ids(value: string, pattern: RegExp, right: string, reading: Reading): readonly string[] {
  const all = [...new Set(entriesOf(value))]
  const wrong = all.filter((id) => !pattern.test(id))
  if (all.length === 0 || wrong.length > 0)
    reading.problem(`${quoted(wrong.length > 0 ? wrong.join(', ') : value)} is not valid`, right)
  return all
}

export const url: Parser<string> = (value, reading) => {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol))
    reading.problem(`${quoted(value)} is not a URL`, 'use an http(s) URL')
  return value.replace(/\/+$/, '')
}

export const template: Parser<TemplateInput> = (value, reading) => {
  if (value === 'upstream' || value === 'built-in') return { kind: value }
  if (/^https?:\/\//.test(value)) return { kind: 'url', url: url(value, reading) }
  fileText(value, 'use upstream, built-in, a path, or a URL', reading)
  return { kind: 'path', path: value }
}

export const chart: Parser<string> = (value, reading) => {
  if (/^oci:\/\/.*\/[^/]*:[^/]+$/.test(value))
    reading.problem(
      `${quoted(value)} is not valid`,
      'use an OCI reference without a version (karpenter-version says it), or a path'
    )
  return value
}

export const helmRange: Parser<string> = (value, reading) => {
  const lowest = semver.validRange(value) === null ? null : semver.minVersion(value)
  if (lowest === null || semver.lt(lowest, '3.8.0'))
    reading.problem(
      `${quoted(value)} is not valid`,
      'use a version or range of 3.8.0 or later, such as >=3.18.6'
    )
  return value
}

/** Values of the chart as YAML. */
export const values: Parser<JsonMap> = (text, reading) => {
  if (text.trim() === '') return {}
  const right = 'use YAML such as `replicas: 1`'
  try {
    const value = readOneYaml(text)
    if (isMap(value)) {
      const open = unfilled(value)
      if (open !== undefined) reading.problem(open, 'give the values as helm is to have them')
      return value
    }
    if (value !== undefined && value !== null) reading.problem('is not a map of values', right)
  } catch (error) {
    reading.problem(`is not YAML (${shown(messageOf(error))})`, right)
  }
  return {}
}

/**
 * What is still a template, or a placeholder that something should have filled in. Templates in annotations are for whoever
 * reads those, and `$(X)` is what Kubernetes itself fills in in a container's env.
 */
function unfilled(value: unknown, inAnnotations = false): string | undefined {
  if (typeof value === 'string') {
    const template = inAnnotations ? undefined : templateIn(value)
    if (template !== undefined) return `has ${quoted(value)}: ${template}`
    const ofOthers = inAnnotations ? [] : ofOtherTools(value).filter((one) => !one.startsWith('$('))
    const placeholder = /(?<!\$)\$\{[^{}]*\}/.exec(value)?.[0] ?? ofOthers[0]
    return placeholder === undefined ? undefined : `has ${shown(placeholder)}, which nothing replaces here`
  }
  if (Array.isArray(value))
    return value.map((one: unknown) => unfilled(one, inAnnotations)).find((one) => one !== undefined)
  return Object.entries(isMap(value) ? value : {})
    .map(([key, inside]) => unfilled(inside, inAnnotations || /annotations$/i.test(key)))
    .find((one) => one !== undefined)
}

export const valuesFile: Parser<JsonMap> = (path, reading) =>
  path === '' ? {} : values(fileText(path, 'use the path of a YAML file', reading), reading)

const queueName = matching(/^[\w-]{1,80}$/, "use stack, none, or the queue's name (not its ARN or URL)")

/** `stack`: the queue that the stack makes. */
export type QueueInput =
  { readonly kind: 'stack' } | { readonly kind: 'none' } | { readonly kind: 'named'; readonly name: string }

export const queue: Parser<QueueInput> = (value, reading) =>
  value === 'stack' || value === 'none' ? { kind: value } : { kind: 'named', name: queueName(value, reading) }

export const tags: Parser<Readonly<Record<string, string>>> = (value, reading) =>
  Object.fromEntries(entriesOf(value).flatMap((entry) => tag(entry, reading)))

function tag(entry: string, reading: Reading): readonly (readonly [string, string])[] {
  const [, key, of] = /^([^=]+)=(.*)$/s.exec(entry) ?? []
  if (key === undefined || of === undefined || key.length > 128 || of.length > 256) {
    reading.problem(`${quoted(entry)} is not a tag`, 'use key=value, one a line or comma-separated')
    return []
  }
  if (/^(aws:|kubernetes\.io\/cluster\/|karpenter\.(sh|k8s\.aws)\/|eks:|setup-karpenter:)/.test(key)) {
    reading.problem(`${quoted(key)} is reserved`, 'use a key of your own')
    return []
  }
  return [[key, of]]
}

const failOnWord = word('drift', 'unhealthy', 'pending', 'unknown')

export type FailOn = 'drift' | 'unhealthy' | 'pending' | 'unknown'

/** Empty: never. */
export const failOn: Parser<readonly FailOn[]> = (value, reading) => {
  if (value === 'never') return []
  const words = entriesOf(value)
  if (words.length === 0) reading.problem('is empty', 'use drift, unhealthy, pending, unknown, or never')
  return words.map((one) => failOnWord(one, reading))
}
