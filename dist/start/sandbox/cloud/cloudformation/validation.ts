import { randomUUID } from 'node:crypto'
import type { ResourceType } from './handler.js'
import { stringProperty } from './handler.js'
import type { Deployer } from './invoke.js'
import {
  knownAfterApply,
  resolvedProperties,
  activeResources,
  scopeOf,
  type Surroundings
} from './resolution.js'
import type { Definition, ResourceChange, Stack, ValidationFailure } from './stack.js'

/**
 * What CloudFormation looks at before a change set is ready, in all accounts since November 2025: the properties of each
 * resource that it would make or change, and whether a name that it would make is taken. Names and sentences are as recorded
 * in aws-cloudformation/rain#744 and aws/aws-cdk-cli#1463.
 */
export async function validate(
  stack: Pick<Stack, 'resources'>,
  work: {
    readonly definition: Definition
    readonly around: Surroundings
    readonly types: ReadonlyMap<string, ResourceType>
    readonly changes: readonly ResourceChange[]
    readonly deployer: Deployer
  }
): Promise<readonly ValidationFailure[]> {
  const { definition, around, types, changes, deployer } = work
  const scope = scopeOf(definition, around, (id) => stack.resources.get(id)?.made)
  const failures: ValidationFailure[] = []
  for (const [logicalId, declaration] of activeResources(definition, scope)) {
    const change = changes.find((one) => one.logicalId === logicalId)
    const type = types.get(declaration.type)
    if (change === undefined || type === undefined) continue
    const properties = resolvedProperties(declaration, scope)
    const own = { id: randomUUID(), logicalId, type: type.name, path: `/Resources/${logicalId}/Properties` }
    const property = (reason: string, path = own.path): void => {
      failures.push({ ...own, path, hook: 'PropertyValidation', name: 'PROPERTY_VALIDATION', reason })
    }
    for (const key of type.required) {
      if (properties[key] === undefined) property(`Required property [${key}] not found`)
    }
    for (const key of Object.keys(properties)) {
      if (!type.properties.has(key)) property(`Unsupported property [${key}]`, `${own.path}/${key}`)
    }
    const named = naming[type.name]
    const name = named === undefined ? undefined : stringProperty(properties, named.property)
    if (change.action !== 'Add' || named === undefined || name === undefined) continue
    if (name.includes(knownAfterApply) || !(await isThere(deployer, named, name))) continue
    failures.push({
      ...own,
      hook: 'ResourceExistenceCheck',
      name: 'NAME_CONFLICT_VALIDATION',
      reason: `Resource of type '${type.name}' with identifier '${name}' already exists.`
    })
  }
  return failures
}

interface Naming {
  readonly property: string
  readonly service: string
  readonly read: string
  readonly input: (name: string, deployer: Deployer) => Readonly<Record<string, string>>
}

const naming: Readonly<Record<string, Naming>> = {
  'AWS::IAM::Role': {
    property: 'RoleName',
    service: 'iam',
    read: 'GetRole',
    input: (RoleName) => ({ RoleName })
  },
  'AWS::IAM::ManagedPolicy': {
    property: 'ManagedPolicyName',
    service: 'iam',
    read: 'GetPolicy',
    input: (name, { partition, accountId }) => ({
      PolicyArn: `arn:${partition}:iam::${accountId}:policy/${name}`
    })
  },
  'AWS::SQS::Queue': {
    property: 'QueueName',
    service: 'sqs',
    read: 'GetQueueUrl',
    input: (QueueName) => ({ QueueName })
  }
}

/** What may not be read is not known to be there. */
async function isThere(deployer: Deployer, { service, read, input }: Naming, name: string): Promise<boolean> {
  return deployer.call(service, read, input(name, deployer)).then(
    () => true,
    () => false
  )
}

/** The reason that DescribeChangeSet gives: the validations that failed, and not what of the template they failed on. */
export function validationReason(failures: readonly ValidationFailure[]): string {
  const hooks = [...new Set(failures.map(({ hook }) => `AWS::EarlyValidation::${hook}`))]
  return `The following hook(s)/validation failed: [${hooks.join(', ')}]. To troubleshoot Early Validation errors, use the DescribeEvents API for detailed failure information.`
}
