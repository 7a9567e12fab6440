import { randomUUID } from 'node:crypto'
import type { Tag } from '../input.js'
import type { Made } from './handler.js'
import type { JsonObject } from './json.js'
import type { Template } from './template.js'

/** Milliseconds since the epoch, and a wait that tests can make short. */
export interface Clock {
  now(): number
  delay(milliseconds: number): Promise<void>
}

export interface StackResource {
  readonly logicalId: string
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly at: number
  /** What stands in AWS; undefined before it is made. */
  readonly made?: Made
  /** As last applied, functions worked out. */
  readonly properties: JsonObject
  readonly tags: readonly Tag[]
  readonly dependsOn: readonly string[]
  readonly retained: boolean
}

export interface StackEvent {
  readonly eventId: string
  readonly logicalId: string
  readonly physicalId: string
  readonly type: string
  readonly at: number
  readonly status: string
  readonly reason?: string
  readonly properties?: string
  readonly token?: string
}

export interface Output {
  readonly key: string
  readonly value: string
  readonly description?: string
}

/** What a stack is to be: template, parameters, tags. */
export interface Definition {
  readonly text: string
  readonly template: Template
  readonly parameters: ReadonlyMap<string, string>
  readonly tags: readonly Tag[]
  readonly capabilities: readonly string[]
}

export interface ResourceChange {
  readonly action: 'Add' | 'Modify' | 'Remove'
  readonly logicalId: string
  readonly physicalId?: string
  readonly type: string
  readonly replacement?: 'True' | 'False' | 'Conditional'
  readonly details: readonly {
    attribute: 'Properties' | 'Tags'
    name?: string
    recreation: 'Always' | 'Never'
  }[]
}

/** What validation found before a change set was ready. */
export interface ValidationFailure {
  readonly id: string
  readonly logicalId: string
  readonly type: string
  readonly hook: 'PropertyValidation' | 'ResourceExistenceCheck'
  readonly name: 'PROPERTY_VALIDATION' | 'NAME_CONFLICT_VALIDATION'
  readonly reason: string
  /** Where in the template. */
  readonly path: string
}

export interface ChangeSet {
  readonly id: string
  readonly name: string
  readonly kind: 'CREATE' | 'UPDATE'
  readonly at: number
  readonly description?: string
  readonly definition: Definition
  readonly onFailure: OnFailure
  readonly roleArn?: string
  readonly changes: readonly ResourceChange[]
  readonly token?: string
  status: 'CREATE_PENDING' | 'CREATE_IN_PROGRESS' | 'CREATE_COMPLETE' | 'FAILED'
  reason?: string
  failures: readonly ValidationFailure[]
  execution:
    'UNAVAILABLE' | 'AVAILABLE' | 'EXECUTE_IN_PROGRESS' | 'EXECUTE_COMPLETE' | 'EXECUTE_FAILED' | 'OBSOLETE'
}

export type OnFailure = 'ROLLBACK' | 'DELETE' | 'DO_NOTHING'

export interface Stack {
  readonly id: string
  readonly name: string
  readonly createdAt: number
  updatedAt?: number
  deletedAt?: number
  status: string
  reason?: string
  /** Undefined in REVIEW_IN_PROGRESS: nothing was ever executed. */
  definition?: Definition
  resources: ReadonlyMap<string, StackResource>
  outputs: readonly Output[]
  /** Oldest first. */
  readonly events: StackEvent[]
  changeSets: readonly ChangeSet[]
  terminationProtection: boolean
  /** The service role that was given last: it is used for all that follows (API reference, CreateChangeSet RoleARN). */
  roleArn?: string
  onFailure: OnFailure
  /** Client request tokens and the operation that each was used for. */
  readonly tokens: Map<string, string>
}

export function newStack(name: string, arnPrefix: string, now: number): Stack {
  return {
    id: `${arnPrefix}:stack/${name}/${randomUUID()}`,
    name,
    createdAt: now,
    status: 'REVIEW_IN_PROGRESS',
    resources: new Map(),
    outputs: [],
    events: [],
    changeSets: [],
    terminationProtection: false,
    onFailure: 'ROLLBACK',
    tokens: new Map()
  }
}

/** Sets the stack's own status and says so in its events. */
export function enter(stack: Stack, status: string, now: number, reason?: string, token?: string): void {
  stack.status = status
  if (reason === undefined) delete stack.reason
  else stack.reason = reason
  stack.events.push({
    eventId: randomUUID(),
    logicalId: stack.name,
    physicalId: stack.id,
    type: 'AWS::CloudFormation::Stack',
    at: now,
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(token === undefined ? {} : { token })
  })
}

/** Says in the stack's events what became of a resource. */
export function tell(stack: Stack, resource: StackResource, token?: string): void {
  stack.events.push({
    eventId: `${resource.logicalId}-${resource.status}-${new Date(resource.at).toISOString()}-${randomUUID().slice(0, 8)}`,
    logicalId: resource.logicalId,
    physicalId: resource.made?.physicalId ?? '',
    type: resource.type,
    at: resource.at,
    status: resource.status,
    ...(resource.reason === undefined ? {} : { reason: resource.reason }),
    properties: JSON.stringify(resource.properties),
    ...(token === undefined ? {} : { token })
  })
}
