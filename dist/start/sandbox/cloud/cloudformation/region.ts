import { randomUUID } from 'node:crypto'
import type { Input } from '../input.js'
import { optionalText, text } from '../input.js'
import type { Home } from '../partition.js'
import { AwsError, type AwsCall, type Caller } from '../service.js'
import { failureReason, type ResourceType } from './handler.js'
import { deployer, type Invoke } from './invoke.js'
import type { Surroundings } from './resolution.js'
import type { Operation } from './resource-steps.js'
import { enter, newStack, type ChangeSet, type Clock, type Stack } from './stack.js'

interface RegionParts {
  readonly home: Home
  readonly invoke: Invoke
  readonly assume: (roleArn: string, service: string) => Caller | undefined
  readonly clock: Clock
  /** Milliseconds a resource takes. */
  readonly pace: number
  readonly types: ReadonlyMap<string, ResourceType>
}

/** The stacks of one region, those that are gone too: their ids can be asked for. */
export class Region {
  readonly home: Home
  readonly clock: Clock
  readonly pace: number
  readonly types: ReadonlyMap<string, ResourceType>
  readonly #invoke: Invoke
  readonly #assume: RegionParts['assume']
  readonly #stacks: Stack[] = []

  constructor({ home, invoke, assume, clock, pace, types }: RegionParts) {
    this.home = home
    this.#invoke = invoke
    this.#assume = assume
    this.clock = clock
    this.pace = pace
    this.types = types
  }

  get arnPrefix(): string {
    const { partition, region, accountId } = this.home
    return `arn:${partition}:cloudformation:${region}:${accountId}`
  }

  /** Newest first. */
  all(): readonly Stack[] {
    return this.#stacks.toReversed()
  }

  /** By name only stacks that are there; by id those that were deleted too. */
  find(nameOrId: string): Stack | undefined {
    return this.#stacks.findLast(
      ({ id, name, deletedAt }) => id === nameOrId || (name === nameOrId && deletedAt === undefined)
    )
  }

  /** The stack that the call names. */
  stack(input: Input): Stack {
    const nameOrId = text(input, 'StackName')
    const stack = this.find(nameOrId)
    if (stack === undefined) throw new AwsError('ValidationError', `Stack with id ${nameOrId} does not exist`)
    return stack
  }

  /** The ARN that a call on this stack is authorised on; a stack that is not there has any id. */
  stackArn(nameOrId: string): string {
    if (nameOrId.startsWith('arn:')) return nameOrId
    return this.find(nameOrId)?.id ?? `${this.arnPrefix}:stack/${nameOrId}/*`
  }

  newStack(name: string): Stack {
    const stack = newStack(name, this.arnPrefix, this.clock.now())
    this.#stacks.push(stack)
    return stack
  }

  /** Takes a stack of which nothing was ever executed out of the list. */
  forget(stack: Stack): void {
    stack.deletedAt = this.clock.now()
    enter(stack, 'DELETE_COMPLETE', this.clock.now())
  }

  newChangeSetId(name: string): string {
    return `${this.arnPrefix}:changeSet/${name}/${randomUUID()}`
  }

  /** The change set that the call names: by ARN, or by name with the stack's. */
  changeSet(input: Input): { readonly stack: Stack; readonly changeSet: ChangeSet } {
    const nameOrId = text(input, 'ChangeSetName')
    const stackName = optionalText(input, 'StackName')
    if (stackName === undefined && !nameOrId.startsWith('arn:')) {
      throw new AwsError(
        'ValidationError',
        'StackName must be specified if ChangeSetName is not specified as an ARN.'
      )
    }
    const owner = stackName === undefined ? undefined : this.find(stackName)
    if (stackName !== undefined && owner === undefined) {
      throw new AwsError('ValidationError', `Stack [${stackName}] does not exist`)
    }
    for (const stack of owner === undefined ? this.#stacks : [owner]) {
      const changeSet = stack.changeSets.findLast(({ id, name }) => id === nameOrId || name === nameOrId)
      if (changeSet !== undefined) return { stack, changeSet }
    }
    throw new AwsError('ChangeSetNotFound', `ChangeSet [${nameOrId}] does not exist`, 404)
  }

  surroundings(stack: Stack): Surroundings {
    return { ...this.home, stackId: stack.id, stackName: stack.name }
  }

  /** Throws where CloudFormation cannot assume the role. */
  checkRole(roleArn: string | undefined): void {
    if (roleArn !== undefined) this.#roleCaller(roleArn)
  }

  #roleCaller(roleArn: string): Caller {
    const caller = this.#assume(roleArn, 'cloudformation.amazonaws.com')
    if (caller !== undefined) return caller
    throw new AwsError('ValidationError', `Role ${roleArn} is invalid or cannot be assumed`)
  }

  /** By the stack's service role where it has one, else with the caller's permissions. */
  operation(stack: Stack, caller: Caller, token: string | undefined): Operation {
    const { roleArn } = stack
    const acting = roleArn === undefined ? caller : this.#roleCaller(roleArn)
    return {
      stack,
      deployer: deployer(this.#invoke, acting, this.home.region, roleArn !== undefined),
      types: this.types,
      clock: this.clock,
      pace: this.pace,
      ...(token === undefined ? {} : { token })
    }
  }

  /** Runs a stack operation after the call was answered. A fault of the sandbox's own shows as the stack's failure. */
  start(operation: Operation, failed: string, work: Promise<void>): void {
    work.catch((error: unknown) =>
      enter(operation.stack, failed, this.clock.now(), failureReason(error), operation.token)
    )
  }

  /** The token that the call's events are to carry. */
  token(call: AwsCall): string | undefined {
    return optionalText(call.input, 'ClientRequestToken')
  }
}
