import { load } from 'js-yaml'
import semver from 'semver'
import { messageOf } from '../engine/errors.js'
import { isMap, overlay } from '../engine/json.js'
import { guideNames } from '../karpenter/names.js'
import { type InputProblems, integerOf, listOf, matching, oneOf } from './values.js'
import type {
  CredentialsInput,
  InputSource,
  Mode,
  NodePoolsInput,
  QueueInput,
  SecurityGroupsInput,
  SubnetsInput,
  TemplateInput,
  VersionInput
} from './inputs.js'

/** What names must look like, by AWS's and Kubernetes' own rules. */
export const names = {
  cluster: /^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$/,
  region: /^[a-z]{2}(-[a-z]+)+-\d$/,
  role: /^[\w+=,.@-]{1,64}$/,
  roleArn: /^arn:aws(-cn|-us-gov)?:iam::\d{12}:role\/[\w+=,.@/-]+$/,
  policyArn: /^arn:aws(-cn|-us-gov)?:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/,
  session: /^[\w+=,.@-]{2,64}$/,
  version: /^\d+\.\d+(\.\d+(-[0-9A-Za-z.-]+)?)?$/,
  namespace: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  stack: /^[A-Za-z][A-Za-z0-9-]{0,127}$/,
  queue: /^[\w-]{1,80}$/,
  image: /^[\w][\w./:@-]*$/,
  object: /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/
}

export function modeOf(problems: InputProblems, value: string): Mode {
  return oneOf(problems, 'mode', value, ['install', 'check', 'smoke-test', 'uninstall'])
}

export function optional<T>(value: string, parse: (value: string) => T): T | undefined {
  return value === '' ? undefined : parse(value)
}

export function credentialsOf(problems: InputProblems, source: InputSource): CredentialsInput {
  const roleArn = source.get('role-to-assume')
  if (roleArn !== '')
    matching(
      problems,
      'role-to-assume',
      roleArn,
      names.roleArn,
      'use the ARN of an IAM role, arn:aws:iam::<account>:role/<name>'
    )
  const sessionName = matching(
    problems,
    'role-session-name',
    source.get('role-session-name'),
    names.session,
    'use 2 to 64 letters, digits and +=,.@-_'
  )
  const durationSeconds = integerOf(
    problems,
    'role-duration-seconds',
    source.get('role-duration-seconds'),
    900,
    43_200
  )
  if (roleArn === '') return { kind: 'chain' }
  return {
    kind: 'oidc',
    roleArn,
    sessionName,
    durationSeconds,
    audience: optional(source.get('audience'), (audience) => audience)
  }
}

export function versionOf(problems: InputProblems, value: string): VersionInput {
  if (value === 'latest' || value === 'lts') return { kind: value }
  const version = matching(
    problems,
    'karpenter-version',
    value.replace(/^v/, ''),
    names.version,
    'use a version such as 1.14.0, a minor such as 1.14, latest, or lts'
  )
  return /^\d+\.\d+$/.test(version) ? { kind: 'minor', minor: version } : { kind: 'exact', version }
}

export function accountIdsOf(problems: InputProblems, value: string): string[] {
  const ids = listOf(value)
  const wrong = ids.filter((id) => !/^\d{12}$/.test(id))
  if (wrong.length > 0)
    problems.add(
      'allowed-account-ids',
      `"${wrong.join(', ')}" is not an account id`,
      'use 12 digits each, comma-separated'
    )
  return ids
}

export function roleNameOf(
  problems: InputProblems,
  input: string,
  source: InputSource,
  fallback: string
): string {
  const name = source.get(input) || fallback
  if (!names.role.test(name)) {
    problems.add(
      input,
      `"${name}" (${name.length} characters) is not a role name`,
      'use at most 64 letters, digits and +=,.@-_, without a path'
    )
  }
  return name
}

export function subnetsOf(problems: InputProblems, value: string): SubnetsInput {
  if (value === 'cluster' || value === 'private') return { kind: value }
  const tag = /^tag:([^=]+)=(.*)$/.exec(value)
  if (tag?.[1] !== undefined && tag[2] !== undefined) return { kind: 'tag', key: tag[1], value: tag[2] }
  return {
    kind: 'ids',
    ids: idsOf(
      problems,
      'subnets',
      value,
      /^subnet-[0-9a-f]+$/,
      'use cluster, private, subnet ids, or tag:key=value'
    )
  }
}

export function securityGroupsOf(problems: InputProblems, value: string): SecurityGroupsInput {
  if (value === 'cluster') return { kind: 'cluster' }
  return {
    kind: 'ids',
    ids: idsOf(problems, 'security-groups', value, /^sg-[0-9a-f]+$/, 'use cluster, or security group ids')
  }
}

function idsOf(
  problems: InputProblems,
  input: string,
  value: string,
  pattern: RegExp,
  right: string
): string[] {
  const ids = [...new Set(listOf(value))]
  const wrong = ids.filter((id) => !pattern.test(id))
  if (ids.length === 0 || wrong.length > 0)
    problems.add(input, `"${wrong.length > 0 ? wrong.join(', ') : value}" is not valid`, right)
  return ids
}

export function templateOf(problems: InputProblems, source: InputSource): TemplateInput {
  const value = source.get('template')
  if (value === 'upstream' || value === 'built-in') return { kind: value }
  if (/^https?:\/\//.test(value)) return { kind: 'url', url: urlOf(problems, 'template', value) }
  const text = fileOf(problems, 'template', value, source, 'use upstream, built-in, a path, or a URL')
  return text === undefined ? { kind: 'built-in' } : { kind: 'path', path: value }
}

export function stackNameOf(problems: InputProblems, value: string, clusterName: string): string {
  return matching(
    problems,
    'stack-name',
    value || guideNames(clusterName).stack,
    names.stack,
    'use letters, digits and -, beginning with a letter, at most 128'
  )
}

export function chartOf(problems: InputProblems, value: string): string {
  const tagged = /^oci:\/\/.*\/[^/]*:[^/]+$/.test(value)
  if (value === '' || tagged)
    problems.add(
      'chart',
      `"${value}" is not valid`,
      'use an OCI reference without a version (karpenter-version says it), or a path'
    )
  return value
}

export function helmVersionOf(problems: InputProblems, value: string): string {
  const lowest = semver.validRange(value) === null ? null : semver.minVersion(value)
  if (lowest === null || semver.lt(lowest, '3.8.0')) {
    problems.add(
      'helm-version',
      `"${value}" is not valid`,
      'use a version or range of 3.8.0 or later, such as >=3.18.6'
    )
  }
  return value
}

export function urlOf(problems: InputProblems, input: string, value: string): string {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol))
    problems.add(input, `"${value}" is not a URL`, 'use an http(s) URL')
  return value.replace(/\/+$/, '')
}

function fileOf(
  problems: InputProblems,
  input: string,
  path: string,
  source: InputSource,
  right: string
): string | undefined {
  try {
    return source.readFile(path)
  } catch (error) {
    problems.add(input, `"${path}" cannot be read (${messageOf(error)})`, right)
    return undefined
  }
}

export function helmValuesOf(problems: InputProblems, source: InputSource): Record<string, unknown> {
  const own = mapOf(problems, 'helm-values', source.get('helm-values'))
  const path = source.get('helm-values-file')
  const fromFile =
    path === ''
      ? ''
      : (fileOf(problems, 'helm-values-file', path, source, 'use the path of a YAML file') ?? '')
  return overlay(mapOf(problems, 'helm-values-file', fromFile), own)
}

function mapOf(problems: InputProblems, input: string, text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  try {
    const value: unknown = load(text)
    if (isMap(value)) return value
    if (value === undefined || value === null) return {}
    problems.add(input, 'is not a map of values', 'use YAML such as `replicas: 1`')
  } catch (error) {
    problems.add(
      input,
      `is not YAML (${messageOf(error).split('\n')[0] ?? ''})`,
      'use YAML such as `replicas: 1`'
    )
  }
  return {}
}

export function nodePoolsOf(problems: InputProblems, source: InputSource): NodePoolsInput {
  const value = source.get('node-pools')
  if (value === 'default' || value === 'none') return { kind: value }
  if (/\n|^\s*(apiVersion|kind|---)/.test(value))
    return { kind: 'manifests', source: 'node-pools', text: value }
  const text = fileOf(
    problems,
    'node-pools',
    value,
    source,
    'use default, none, the path of a manifest, or YAML'
  )
  return { kind: 'manifests', source: value, text: text ?? '' }
}

export function queueOf(problems: InputProblems, value: string): QueueInput {
  if (value === 'stack' || value === 'none') return { kind: value }
  return {
    kind: 'named',
    name: matching(
      problems,
      'interruption-queue',
      value,
      names.queue,
      "use stack, none, or the queue's name (not its ARN or URL)"
    )
  }
}

export function tagsOf(problems: InputProblems, value: string): Record<string, string> {
  const tags: Record<string, string> = {}
  for (const entry of listOf(value)) {
    const [key, ...rest] = entry.split('=')
    if (
      key === undefined ||
      key === '' ||
      rest.length === 0 ||
      key.length > 128 ||
      rest.join('=').length > 256
    ) {
      problems.add('tags', `"${entry}" is not a tag`, 'use key=value, one a line or comma-separated')
    } else if (
      /^(aws:|kubernetes\.io\/cluster\/|karpenter\.(sh|k8s\.aws)\/|eks:|setup-karpenter:)/.test(key)
    ) {
      problems.add('tags', `"${key}" is reserved`, 'use a key of your own')
    } else tags[key] = rest.join('=')
  }
  return tags
}

/** Names of policies of the account or AWS's own. */
export function policyArnsOf(problems: InputProblems, input: string, value: string): string[] {
  const arns = [...new Set(listOf(value))]
  for (const arn of arns)
    matching(problems, input, arn, names.policyArn, 'use ARNs of IAM policies, comma-separated')
  return arns
}
