import { randomBytes } from 'node:crypto'
import type { Tag } from '../input.js'
import { failureReason, type Made, type ResourceType } from './handler.js'
import type { Deployer } from './invoke.js'
import type { JsonObject } from './json.js'
import { propertyFault } from './resolution.js'
import { tell, type Clock, type Stack, type StackResource } from './stack.js'

/** What one stack operation works with. */
export interface Operation {
  readonly stack: Stack
  readonly deployer: Deployer
  readonly types: ReadonlyMap<string, ResourceType>
  readonly clock: Clock
  /** How long a resource takes beyond its calls, milliseconds. */
  readonly pace: number
  readonly token?: string
}

export interface Wanted {
  readonly logicalId: string
  readonly type: ResourceType
  readonly properties: JsonObject
  readonly tags: readonly Tag[]
  readonly dependsOn: readonly string[]
  readonly retained: boolean
}

/** Every step keeps its latest word on the resource here, so that a failed one can be undone. */
export type Note = (resource: StackResource) => void

/** Makes a resource. True when it stands; `stopped` says that another one's failure has ended the operation meanwhile. */
export async function createResource(
  operation: Operation,
  wanted: Wanted,
  note: Note,
  stopped: () => boolean
): Promise<boolean> {
  const { stack, deployer, clock, pace } = operation
  let made: Made | undefined
  const say = (status: string, reason?: string): void =>
    report(operation, note, { ...base(wanted), ...(made === undefined ? {} : { made }) }, status, reason)
  say('CREATE_IN_PROGRESS')
  const fault = propertyFault(wanted.type, wanted.properties)
  if (fault !== undefined) {
    say(
      'CREATE_FAILED',
      `Properties validation failed for resource ${wanted.logicalId} with message:\n${fault}`
    )
    return false
  }
  try {
    const created = await wanted.type.create({
      properties: wanted.properties,
      tags: wanted.tags,
      systemTags: [
        { Key: 'aws:cloudformation:logical-id', Value: wanted.logicalId },
        { Key: 'aws:cloudformation:stack-id', Value: stack.id },
        { Key: 'aws:cloudformation:stack-name', Value: stack.name }
      ],
      deployer,
      generatedName: (longest) => generatedName(stack.name, wanted.logicalId, longest),
      claim(physicalId) {
        made = { physicalId, attributes: {} }
        say('CREATE_IN_PROGRESS', 'Resource creation Initiated')
      }
    })
    made = created
    await clock.delay(pace)
  } catch (error) {
    say('CREATE_FAILED', failureReason(error))
    return false
  }
  if (stopped()) {
    say('CREATE_FAILED', 'Resource creation cancelled')
    return false
  }
  say('CREATE_COMPLETE')
  return true
}

/** Changes a resource in place. */
export async function updateResource(
  operation: Operation,
  wanted: Wanted,
  before: StackResource & { readonly made: Made },
  note: Note
): Promise<boolean> {
  const { stack, deployer, clock, pace } = operation
  const say = (made: Made, status: string, reason?: string): void =>
    report(operation, note, { ...base(wanted), made }, status, reason)
  say(before.made, 'UPDATE_IN_PROGRESS')
  const fault = propertyFault(wanted.type, wanted.properties)
  if (fault !== undefined) {
    say(
      before.made,
      'UPDATE_FAILED',
      `Properties validation failed for resource ${wanted.logicalId} with message:\n${fault}`
    )
    return false
  }
  try {
    const made = await wanted.type.update(
      {
        properties: wanted.properties,
        tags: wanted.tags,
        deployer,
        generatedName: (longest) => generatedName(stack.name, wanted.logicalId, longest)
      },
      before.made,
      before
    )
    await clock.delay(pace)
    say(made, 'UPDATE_COMPLETE')
    return true
  } catch (error) {
    say(before.made, 'UPDATE_FAILED', failureReason(error))
    return false
  }
}

/** Removes a resource, or leaves it where its deletion policy or the caller says so. */
export async function removeResource(
  operation: Operation,
  resource: StackResource,
  note: Note,
  retain = resource.retained
): Promise<boolean> {
  const { deployer, clock, pace, types } = operation
  const say = (status: string, reason?: string): void => report(operation, note, resource, status, reason)
  if (retain) {
    say('DELETE_SKIPPED')
    return true
  }
  const type = types.get(resource.type)
  if (type === undefined || resource.made === undefined) {
    say('DELETE_COMPLETE')
    return true
  }
  say('DELETE_IN_PROGRESS')
  try {
    await type.remove(resource.made, resource.properties, deployer)
    await clock.delay(pace)
  } catch (error) {
    say('DELETE_FAILED', failureReason(error))
    return false
  }
  say('DELETE_COMPLETE')
  return true
}

function report(
  { stack, clock, token }: Operation,
  note: Note,
  resource: Omit<StackResource, 'status' | 'at' | 'reason'>,
  status: string,
  reason?: string
): void {
  const { logicalId, type, made, properties, tags, dependsOn, retained } = resource
  const told: StackResource = {
    logicalId,
    type,
    ...(made === undefined ? {} : { made }),
    properties,
    tags,
    dependsOn,
    retained,
    status,
    at: clock.now(),
    ...(reason === undefined ? {} : { reason })
  }
  note(told)
  tell(stack, told, token)
}

function base({
  logicalId,
  type,
  properties,
  tags,
  dependsOn,
  retained
}: Wanted): Omit<StackResource, 'status' | 'at'> {
  return { logicalId, type: type.name, properties, tags, dependsOn, retained }
}

function generatedName(stack: string, logicalId: string, longest: number): string {
  const random = Array.from(randomBytes(12), (byte) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'.charAt(byte % 62)
  ).join('')
  const room = longest - random.length - 2
  const ofLogicalId = logicalId.slice(0, Math.max(room - stack.length, Math.floor(room / 2)))
  return `${stack.slice(0, room - ofLogicalId.length)}-${ofLogicalId}-${random}`
}
