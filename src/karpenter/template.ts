import { dump } from 'js-yaml'
import { messageOf, RunEndedError, UserError } from '../engine/errors.js'
import { isMap, type JsonMap } from '../engine/json.js'
import { type OthersParts, withoutOthersParts } from './others-parts.js'
import { guideNames } from './names.js'
import { builtInTemplateText } from './template-built-in.js'
import { gradeOf, newestTested } from './tested-versions.js'
import { parseTemplate } from './template-syntax.js'

/** Where the template of a version is, in aws/karpenter-provider-aws at its tag; the docs/ copy is often a version behind. */
export const upstreamPath =
  'website/content/en/preview/getting-started/getting-started-with-karpenter/cloudformation.yaml'
const upstreamBase = 'https://raw.githubusercontent.com'

export interface TemplatePorts {
  /** The body of a 200 answer; rejects for everything else. */
  fetchText(url: string): Promise<string>
  /** Of a file of the workspace; throws when it cannot be read. */
  readFile(path: string): string
  /** In place of https://raw.githubusercontent.com. */
  readonly upstreamBase?: string
}

export type TemplateInput =
  | { readonly kind: 'upstream' }
  | { readonly kind: 'built-in' }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string }
  /** The text itself, as the record has it; `origin` says so. */
  | { readonly kind: 'text'; readonly text: string; readonly origin: string }

export interface LoadedTemplate {
  readonly text: string
  /** For a person: its URL or path, or `built in, for Karpenter 1.14.1`. */
  readonly origin: string
}

export function upstreamTemplateUrl(version: string, base = upstreamBase): string {
  return upstreamFileUrl(version, upstreamPath, base)
}

/** Of a file of aws/karpenter-provider-aws at a version's tag. */
export function upstreamFileUrl(version: string, path: string, base = upstreamBase): string {
  return `${base}/aws/karpenter-provider-aws/v${version}/${path}`
}

/** The template's text. Throws UserError that begins with `template` when it cannot be had. */
export async function loadTemplate(request: {
  readonly input: TemplateInput
  readonly version: string
  readonly ports: TemplatePorts
}): Promise<LoadedTemplate> {
  const { input, version, ports } = request
  switch (input.kind) {
    case 'built-in':
      return builtIn(version)
    case 'path':
      return { text: read(input.path, ports), origin: input.path }
    case 'text':
      return { text: input.text, origin: input.origin }
    case 'url':
      return { text: await fetched(input.url, ports), origin: input.url }
    case 'upstream': {
      const url = upstreamTemplateUrl(version, ports.upstreamBase)
      return { text: await fetched(url, ports), origin: url }
    }
  }
}

/** The table ends with the newest version that was tested: a later one has that version's statements. */
function builtIn(version: string): LoadedTemplate {
  const of = gradeOf(version) === 'untested' ? newestTested : version
  return { text: builtInTemplateText(of), origin: `built in, for Karpenter ${of}` }
}

function read(path: string, ports: TemplatePorts): string {
  try {
    return ports.readFile(path)
  } catch (error) {
    throw new UserError(
      'template',
      `${path} cannot be read: ${messageOf(error)}`,
      'Pass upstream, built-in, a path in the workspace, or a URL.',
      { state: 'Nothing was changed.' }
    )
  }
}

async function fetched(url: string, ports: TemplatePorts): Promise<string> {
  try {
    return await ports.fetchText(url)
  } catch (error) {
    if (error instanceof RunEndedError) throw error
    throw new UserError(
      'template',
      `${url} cannot be had: ${messageOf(error)}`,
      'Let the runner reach that address, or pass `template: built-in`, which needs none.',
      { state: 'Nothing was changed.', cause: error }
    )
  }
}

export interface Adaptation {
  readonly clusterName: string
  readonly nodeRoleName: string
  /** ARNs of managed policies that the node role is to have besides the template's. */
  readonly nodeRolePolicies: readonly string[]
  readonly permissionsBoundary: string | undefined
  readonly others?: OthersParts
}

/**
 * The text with the user's name and further policies for the node role, and the permissions boundary on every role of it,
 * and without what others have made in its place. The same text when nothing differs from what the template has, so that it stays what upstream published.
 */
export function adaptTemplate(text: string, adaptation: Adaptation): string {
  const { clusterName, nodeRoleName, nodeRolePolicies, permissionsBoundary, others = {} } = adaptation
  const ownNodeRole = others.nodeRoleArn === undefined
  const renames = ownNodeRole && nodeRoleName !== guideNames(clusterName).nodeRole
  const asPublished = ownNodeRole && others.queueArn === undefined && (others.policyNames ?? []).length === 0
  if (asPublished && !renames && nodeRolePolicies.length === 0 && permissionsBoundary === undefined)
    return text
  const { body } = parseTemplate(text)
  const declared = withoutOthersParts(isMap(body['Resources']) ? body['Resources'] : {}, others, clusterName)
  const resources: JsonMap = {}
  for (const [logicalId, own] of Object.entries(declared)) {
    const isRole = isMap(own) && own['Type'] === 'AWS::IAM::Role'
    const properties = isRole && isMap(own['Properties']) ? own['Properties'] : {}
    const isNodeRole = logicalId === 'KarpenterNodeRole'
    resources[logicalId] = isRole
      ? {
          ...own,
          Properties: {
            ...properties,
            ...(renames && isNodeRole && { RoleName: nodeRoleName }),
            ...(isNodeRole &&
              nodeRolePolicies.length > 0 && {
                ManagedPolicyArns: withPolicies(properties['ManagedPolicyArns'], nodeRolePolicies)
              }),
            ...(permissionsBoundary !== undefined && { PermissionsBoundary: permissionsBoundary })
          }
        }
      : own
  }
  if (!isMap(resources['KarpenterNodeRole'])) {
    if (renames) throw noNodeRole('node-role-name', `could be called ${nodeRoleName}`)
    if (!ownNodeRole && nodeRolePolicies.length > 0) throw notOurs(nodeRoleName)
    if (nodeRolePolicies.length > 0) throw noNodeRole('node-role-policies', 'they could be attached to')
  }
  return dump({ ...body, Resources: resources }, { lineWidth: -1, noRefs: true })
}

function withPolicies(declared: unknown, further: readonly string[]): readonly unknown[] {
  if (declared === undefined) return further
  if (!Array.isArray(declared)) {
    throw new UserError(
      'node-role-policies',
      "the template's node role has no plain list of ManagedPolicyArns, so none can be added to it",
      'Write the policies into your template, and leave node-role-policies out.',
      { state: 'Nothing was changed.' }
    )
  }
  const own: readonly unknown[] = declared
  return [...own, ...further.filter((arn) => !own.includes(arn))]
}

function notOurs(nodeRoleName: string): UserError {
  return new UserError(
    'node-role-policies',
    `the role ${nodeRoleName} was there already, and is used as it is`,
    'Attach them to it where it is kept, and leave node-role-policies out.',
    { state: 'Nothing was changed.' }
  )
}

function noNodeRole(input: string, what: string): UserError {
  return new UserError(
    input,
    `the template has no role KarpenterNodeRole that ${what}`,
    `Leave ${input} out, or name the role in your template KarpenterNodeRole.`,
    { state: 'Nothing was changed.' }
  )
}
