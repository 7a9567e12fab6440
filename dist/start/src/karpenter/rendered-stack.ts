import { queueUrlOf } from '../aws/partition.js'
import { messageOf, UserError } from '../engine/errors.js'
import { isMap, type JsonMap } from '../engine/json.js'
import type { Account } from '../aws/environment.js'
import { evaluate, holds, noValue, type TemplateScope, unknownValue } from './template-functions.js'
import { type DeclaredResource, parseTemplate, type Template } from './template-syntax.js'

export interface StackSettings {
  readonly clusterName: string
  readonly stackName: string
  readonly account: Pick<Account, 'id' | 'partition' | 'region' | 'urlSuffix'>
  /** ARN of the node role where somebody else made it: the template has none then. */
  readonly nodeRoleArn?: string
}

export interface RenderedResource {
  readonly logicalId: string
  /** AWS::IAM::Role */
  readonly type: string
  /** The name that the template gives; undefined when CloudFormation makes one up. */
  readonly name: string | undefined
  /** Undefined where the name is, and for types that this action does not use. */
  readonly arn: string | undefined
  /** Every function worked out; unknownValue where only CloudFormation can know. */
  readonly properties: JsonMap
}

export interface RenderedPolicy {
  readonly logicalId: string
  readonly name: string
  readonly arn: string
  readonly document: JsonMap
  /** As IAM counts it: characters other than white space. */
  readonly size: number
}

/** All that a stack comes to, known before it is made. */
export interface RenderedStack {
  readonly resources: readonly RenderedResource[]
  /** `logicalId` is undefined for a role that somebody else made. */
  readonly nodeRole: { readonly logicalId: string | undefined; readonly name: string; readonly arn: string }
  /** Every managed policy of the stack; all of them belong on the controller's role. */
  readonly policies: readonly RenderedPolicy[]
  /** The interruption queue; undefined when the template has none. Its URL is its id in the stack. */
  readonly queue: { readonly name: string; readonly arn: string; readonly url: string } | undefined
  /** What the template asks for: ClusterName, where it has that parameter. */
  readonly parameters: Readonly<Record<string, string>>
  /** Logical id to name, for people; the logical id again where there is no name. */
  readonly names: Readonly<Record<string, string>>
  readonly capabilities: readonly ('CAPABILITY_NAMED_IAM' | 'CAPABILITY_AUTO_EXPAND')[]
}

/**
 * Works out a template. Throws UserError that begins with `template` when it needs a parameter that this action does not
 * know, names something that is not there, has no node role, or a managed policy without a name.
 */
export function renderTemplate(text: string, settings: StackSettings): RenderedStack {
  const template = parseTemplate(text)
  const parameters = parametersOf(template, settings)
  const scope = new Scope(template, parameters, settings)
  const resources = orTemplateError(() =>
    template.resources
      .filter((one) => one.condition === undefined || holds(one.condition, scope))
      .map((one) => scope.rendered(one))
  )
  const policies = resources.filter((one) => one.type === 'AWS::IAM::ManagedPolicy').map(policyOf)
  const queue = resources.find((one) => one.type === 'AWS::SQS::Queue')
  return {
    resources,
    nodeRole: nodeRoleOf(resources, settings.nodeRoleArn),
    policies,
    queue:
      queue?.name === undefined || queue.arn === undefined
        ? undefined
        : { name: queue.name, arn: queue.arn, url: queueUrlOf(settings.account, queue.name) },
    parameters: Object.fromEntries(
      'ClusterName' in template.parameters ? [['ClusterName', settings.clusterName]] : []
    ),
    names: Object.fromEntries(resources.map((one) => [one.logicalId, one.name ?? one.logicalId])),
    capabilities: [
      'CAPABILITY_NAMED_IAM',
      ...('Transform' in template.body ? (['CAPABILITY_AUTO_EXPAND'] as const) : [])
    ]
  }
}

function parametersOf(template: Template, settings: StackSettings): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>()
  for (const [name, declared] of Object.entries(template.parameters)) {
    const value = name === 'ClusterName' ? settings.clusterName : declared['Default']
    if (value === undefined) {
      throw templateError(
        `parameter ${name} has no default`,
        `Give it one: this action passes ClusterName and nothing else.`
      )
    }
    values.set(name, value)
  }
  return values
}

/** Names by the property that CloudFormation takes them from, and ARNs by what is behind the account. */
const kinds: Readonly<
  Record<
    string,
    { readonly property: string; readonly arn: (name: string, path: string) => readonly [string, string] }
  >
> = {
  'AWS::IAM::Role': { property: 'RoleName', arn: (name, path) => ['iam', `role${path}${name}`] },
  'AWS::IAM::ManagedPolicy': {
    property: 'ManagedPolicyName',
    arn: (name, path) => ['iam', `policy${path}${name}`]
  },
  'AWS::IAM::InstanceProfile': {
    property: 'InstanceProfileName',
    arn: (name, path) => ['iam', `instance-profile${path}${name}`]
  },
  'AWS::SQS::Queue': { property: 'QueueName', arn: (name) => ['sqs', name] },
  'AWS::Events::Rule': { property: 'Name', arn: (name) => ['events', `rule/${name}`] }
}

class Scope implements TemplateScope {
  readonly mappings: JsonMap
  readonly conditions: JsonMap
  readonly #template: Template
  readonly #parameters: ReadonlyMap<string, unknown>
  readonly #settings: StackSettings
  readonly #open = new Set<string>()

  constructor(template: Template, parameters: ReadonlyMap<string, unknown>, settings: StackSettings) {
    this.#template = template
    this.#parameters = parameters
    this.#settings = settings
    this.mappings = template.mappings
    this.conditions = template.conditions
  }

  reference(name: string): unknown {
    const { account, stackName } = this.#settings
    const pseudo: Readonly<Record<string, unknown>> = {
      'AWS::AccountId': account.id,
      'AWS::Partition': account.partition,
      'AWS::Region': account.region,
      'AWS::URLSuffix': account.urlSuffix,
      'AWS::StackName': stackName,
      'AWS::StackId': unknownValue,
      'AWS::NotificationARNs': []
    }
    if (this.#parameters.has(name)) return this.#parameters.get(name)
    if (name in pseudo) return pseudo[name]
    const resource = this.#find(name)
    if (resource === undefined) return undefined
    const { own, arn } = this.#identity(resource)
    // Ref of a policy is its ARN, of a queue its URL, of a role its name.
    if (resource.type === 'AWS::IAM::ManagedPolicy') return arn ?? unknownValue
    if (resource.type === 'AWS::SQS::Queue')
      return own === undefined ? unknownValue : queueUrlOf(account, own)
    return own ?? unknownValue
  }

  attribute(logicalId: string, name: string): unknown {
    const resource = this.#find(logicalId)
    if (resource === undefined) throw new Error(`${logicalId} is not a resource of the template`)
    const { own, arn } = this.#identity(resource)
    if (name === 'Arn' || name === 'PolicyArn') return arn ?? unknownValue
    return name === 'QueueName' && own !== undefined ? own : unknownValue
  }

  rendered(resource: DeclaredResource): RenderedResource {
    const { own, arn } = this.#identity(resource)
    const properties = evaluate(resource.properties, this)
    return {
      logicalId: resource.logicalId,
      type: resource.type,
      name: own,
      arn,
      properties: isMap(properties) ? properties : {}
    }
  }

  #find(logicalId: string): DeclaredResource | undefined {
    return this.#template.resources.find((one) => one.logicalId === logicalId)
  }

  #identity(resource: DeclaredResource): {
    readonly own: string | undefined
    readonly arn: string | undefined
  } {
    const { account } = this.#settings
    const kind = kinds[resource.type]
    const declared = kind === undefined ? undefined : resource.properties[kind.property]
    if (kind === undefined || declared === undefined) return { own: undefined, arn: undefined }
    if (this.#open.has(resource.logicalId))
      throw new Error(`the name of ${resource.logicalId} depends on itself`)
    this.#open.add(resource.logicalId)
    const name = evaluate(declared, this)
    const path = evaluate(resource.properties['Path'] ?? '/', this)
    this.#open.delete(resource.logicalId)
    if (name === noValue || typeof name !== 'string' || name.includes(unknownValue))
      return { own: undefined, arn: undefined }
    const [service, rest] = kind.arn(name, typeof path === 'string' ? path : '/')
    const region = service === 'iam' ? '' : account.region
    return { own: name, arn: `arn:${account.partition}:${service}:${region}:${account.id}:${rest}` }
  }
}

function policyOf(resource: RenderedResource): RenderedPolicy {
  const { logicalId, name, arn } = resource
  if (name === undefined || arn === undefined) {
    throw templateError(
      `managed policy ${logicalId} has no ManagedPolicyName`,
      'Give it one: its ARN must be known before the stack is made, so that a plan can be shown.'
    )
  }
  const declared = resource.properties['PolicyDocument']
  const document = orTemplateError(
    (): unknown => (typeof declared === 'string' ? JSON.parse(declared) : declared),
    logicalId
  )
  if (!isMap(document))
    throw templateError(`managed policy ${logicalId} has no PolicyDocument`, 'Give it one.')
  return { logicalId, name, arn, document, size: policySize(document) }
}

/** Characters of a policy as IAM counts them against its limit: without white space. */
export function policySize(document: unknown): number {
  return JSON.stringify(document).replaceAll(/\s/g, '').length
}

/** The role that EC2 may take; with several, the one of the published template. */
function nodeRoleOf(
  resources: readonly RenderedResource[],
  othersArn: string | undefined
): RenderedStack['nodeRole'] {
  if (othersArn !== undefined)
    return { logicalId: undefined, name: othersArn.split('/').at(-1) ?? '', arn: othersArn }
  const roles = resources.filter((one) => one.type === 'AWS::IAM::Role')
  const role =
    roles.find((one) => one.logicalId === 'KarpenterNodeRole') ??
    roles.find((one) => JSON.stringify(one.properties['AssumeRolePolicyDocument'] ?? '').includes('"ec2.'))
  if (role === undefined)
    throw templateError('it has no role that EC2 may take', 'Add AWS::IAM::Role KarpenterNodeRole to it.')
  if (role.name === undefined || role.arn === undefined)
    throw templateError(`role ${role.logicalId} has no RoleName`, 'Give it one: node access is by its ARN.')
  return { logicalId: role.logicalId, name: role.name, arn: role.arn }
}

function orTemplateError<T>(work: () => T, what?: string): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof UserError) throw error
    throw templateError(
      what === undefined ? messageOf(error) : `${what}: ${messageOf(error)}`,
      'Correct the template, or pass `template: upstream` or `built-in`.'
    )
  }
}

function templateError(problem: string, fix: string): UserError {
  return new UserError('template', problem, fix, { state: 'Nothing was changed.' })
}
