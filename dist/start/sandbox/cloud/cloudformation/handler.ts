import { randomUUID } from 'node:crypto'
import type { Tag } from '../input.js'
import type { Deployer } from './invoke.js'
import type { Json, JsonObject } from './json.js'
import { ServiceRefusal } from './service-refusal.js'

/** A resource as its handler left it. */
export interface Made {
  readonly physicalId: string
  /** What Fn::GetAtt can ask for; `Ref` gives the physical id. */
  readonly attributes: Readonly<Record<string, string>>
}

export interface HandlerRequest {
  readonly properties: JsonObject
  /** The resource's own tags and those of the stack. */
  readonly tags: readonly Tag[]
  readonly deployer: Deployer
  /** `<stack>-<logical id>-<random>`, cut to this many characters. */
  readonly generatedName: (longest: number) => string
}

export interface CreateRequest extends HandlerRequest {
  /** CloudFormation's own, aws:cloudformation:*: not every type takes them, roles and managed policies do not. */
  readonly systemTags: readonly Tag[]
  /** Says that something exists now under this id, so that a rollback removes it even when the rest fails. */
  readonly claim: (physicalId: string) => void
}

/** How CloudFormation makes, changes and removes one type of resource. The calls are those of AWS's own handlers. */
export interface ResourceType {
  readonly name: string
  readonly properties: ReadonlySet<string>
  readonly required: readonly string[]
  /** A change to one of these makes a new resource and removes the old one. */
  readonly createOnly: ReadonlySet<string>
  readonly taggable: boolean
  readonly attributes: ReadonlySet<string>
  capability(properties: JsonObject): 'CAPABILITY_IAM' | 'CAPABILITY_NAMED_IAM' | undefined
  create(request: CreateRequest): Promise<Made>
  update(
    request: HandlerRequest,
    made: Made,
    before: { properties: JsonObject; tags: readonly Tag[] }
  ): Promise<Made>
  /** A resource that is gone already counts as removed. */
  remove(made: Made, properties: JsonObject, deployer: Deployer): Promise<void>
}

/** A handler's refusal that no service call stands behind. */
export class HandlerError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export function alreadyExists(type: string, identifier: string): HandlerError {
  return new HandlerError(
    'AlreadyExists',
    `Resource of type '${type}' with identifier '${identifier}' already exists.`
  )
}

const printedNames: Readonly<Record<string, string>> = {
  iam: 'Iam',
  sqs: 'Sqs',
  events: 'EventBridge',
  eks: 'Eks'
}

/** The reason of a resource's failure, as it stands in a stack's events. */
export function failureReason(error: unknown): string {
  if (error instanceof HandlerError) return returned(error.message, error.code)
  if (error instanceof ServiceRefusal) {
    const service = printedNames[error.service] ?? error.service
    return returned(
      `${error.message} (Service: ${service}, Status Code: ${error.status}, Request ID: ${randomUUID()}) (SDK Attempt Count: 1)`,
      handlerCode(error)
    )
  }
  return returned(error instanceof Error ? error.message : String(error), 'InternalFailure')
}

function returned(message: string, code: string): string {
  return `Resource handler returned message: "${message}" (RequestToken: ${randomUUID()}, HandlerErrorCode: ${code})`
}

function handlerCode({ code, status, missing }: ServiceRefusal): string {
  if (/^AccessDenied|^Unauthorized/.test(code)) return 'AccessDenied'
  if (/AlreadyExists/.test(code)) return 'AlreadyExists'
  if (/^LimitExceeded/.test(code)) return 'ServiceLimitExceeded'
  if (/^Throttling|TooManyRequests|RequestThrottled/.test(code)) return 'Throttling'
  if (/Conflict/.test(code)) return 'ResourceConflict'
  if (missing) return 'NotFound'
  return status >= 500 ? 'ServiceInternalError' : 'InvalidRequest'
}

/** The answer, or undefined when the service says that there is no such thing. */
export async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ServiceRefusal && error.missing) return undefined
    throw error
  }
}

/** Reads a string out of an answer by its path of keys. */
export function answered(output: unknown, ...path: readonly string[]): string {
  const value = path.reduce<unknown>(
    (from, key) => (typeof from === 'object' && from !== null ? Reflect.get(from, key) : undefined),
    output
  )
  if (typeof value !== 'string')
    throw new HandlerError('InternalFailure', `the answer lacks ${path.join('.')}`)
  return value
}

export function answeredList(output: unknown, key: string): readonly unknown[] {
  const value: unknown = typeof output === 'object' && output !== null ? Reflect.get(output, key) : undefined
  return Array.isArray(value) ? value : []
}

export function stringProperty(properties: JsonObject, name: string): string | undefined {
  const value = properties[name]
  return value === undefined ? undefined : text(value)
}

export function stringList(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(text) : []
}

export function text(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
