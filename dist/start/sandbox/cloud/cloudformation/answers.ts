import type {
  Output,
  Stack,
  StackEvent,
  StackResource,
  ChangeSet,
  ResourceChange,
  Definition,
  ValidationFailure
} from './stack.js'

type Answer = Readonly<Record<string, unknown>>

const noEcho = '****'

/** A stack as DescribeStacks shows it. */
export function stackAnswer(stack: Stack): Answer {
  const { definition } = stack
  return {
    StackId: stack.id,
    StackName: stack.name,
    ...(definition?.template.description === undefined
      ? {}
      : { Description: definition.template.description }),
    Parameters: parameterAnswers(definition),
    CreationTime: at(stack.createdAt),
    ...(stack.updatedAt === undefined ? {} : { LastUpdatedTime: at(stack.updatedAt) }),
    ...(stack.deletedAt === undefined ? {} : { DeletionTime: at(stack.deletedAt) }),
    RollbackConfiguration: {},
    StackStatus: stack.status,
    ...(stack.reason === undefined ? {} : { StackStatusReason: stack.reason }),
    ...(stack.roleArn === undefined ? {} : { RoleARN: stack.roleArn }),
    DisableRollback: stack.onFailure === 'DO_NOTHING',
    NotificationARNs: [],
    Capabilities: definition?.capabilities ?? [],
    Outputs: stack.outputs.map(outputAnswer),
    Tags: definition?.tags ?? [],
    EnableTerminationProtection: stack.terminationProtection,
    DriftInformation: { StackDriftStatus: 'NOT_CHECKED' }
  }
}

/** A stack as ListStacks shows it. */
export function stackSummary(stack: Stack): Answer {
  return {
    StackId: stack.id,
    StackName: stack.name,
    CreationTime: at(stack.createdAt),
    ...(stack.updatedAt === undefined ? {} : { LastUpdatedTime: at(stack.updatedAt) }),
    ...(stack.deletedAt === undefined ? {} : { DeletionTime: at(stack.deletedAt) }),
    StackStatus: stack.status,
    ...(stack.reason === undefined ? {} : { StackStatusReason: stack.reason }),
    DriftInformation: { StackDriftStatus: 'NOT_CHECKED' }
  }
}

export function eventAnswer(stack: Stack, event: StackEvent): Answer {
  return {
    StackId: stack.id,
    StackName: stack.name,
    EventId: event.eventId,
    LogicalResourceId: event.logicalId,
    PhysicalResourceId: event.physicalId,
    ResourceType: event.type,
    Timestamp: at(event.at),
    ResourceStatus: event.status,
    ...(event.reason === undefined ? {} : { ResourceStatusReason: event.reason }),
    ...(event.properties === undefined ? {} : { ResourceProperties: event.properties }),
    ...(event.token === undefined ? {} : { ClientRequestToken: event.token })
  }
}

/** A resource as DescribeStackResources shows it; ListStackResources calls the time LastUpdatedTimestamp. */
export function resourceAnswer(
  resource: StackResource,
  timeMember: 'Timestamp' | 'LastUpdatedTimestamp'
): Answer {
  return {
    LogicalResourceId: resource.logicalId,
    ...(resource.made === undefined ? {} : { PhysicalResourceId: resource.made.physicalId }),
    ResourceType: resource.type,
    [timeMember]: at(resource.at),
    ResourceStatus: resource.status,
    ...(resource.reason === undefined ? {} : { ResourceStatusReason: resource.reason }),
    DriftInformation: { StackResourceDriftStatus: 'NOT_CHECKED' }
  }
}

export function changeSetSummary(stack: Stack, changeSet: ChangeSet): Answer {
  return {
    StackId: stack.id,
    StackName: stack.name,
    ChangeSetId: changeSet.id,
    ChangeSetName: changeSet.name,
    ExecutionStatus: changeSet.execution,
    Status: changeSet.status,
    ...(changeSet.reason === undefined ? {} : { StatusReason: changeSet.reason }),
    CreationTime: at(changeSet.at),
    ...(changeSet.description === undefined ? {} : { Description: changeSet.description }),
    IncludeNestedStacks: false
  }
}

/** A change set as DescribeChangeSet shows it, but for its changes, which come in pages. */
export function changeSetAnswer(stack: Stack, changeSet: ChangeSet): Answer {
  const { definition } = changeSet
  return {
    ...changeSetSummary(stack, changeSet),
    Parameters: parameterAnswers(definition),
    Capabilities: definition.capabilities,
    Tags: definition.tags,
    NotificationARNs: [],
    RollbackConfiguration: {},
    OnStackFailure: changeSet.onFailure
  }
}

export function changeAnswer(change: ResourceChange): Answer {
  const { action, logicalId, physicalId, type, replacement, details } = change
  return {
    Type: 'Resource',
    ResourceChange: {
      Action: action,
      LogicalResourceId: logicalId,
      ...(physicalId === undefined ? {} : { PhysicalResourceId: physicalId }),
      ResourceType: type,
      ...(replacement === undefined ? {} : { Replacement: replacement }),
      Scope: [...new Set(details.map(({ attribute }) => attribute))],
      Details: details.map(({ attribute, name, recreation }) => ({
        Target: {
          Attribute: attribute,
          ...(name === undefined ? {} : { Name: name }),
          RequiresRecreation: recreation
        },
        Evaluation: 'Static',
        ChangeSource: 'DirectModification'
      }))
    }
  }
}

/** As DescribeEvents shows what validation found. */
export function validationAnswer(stack: Stack, changeSet: ChangeSet, failure: ValidationFailure): Answer {
  return {
    EventId: failure.id,
    StackId: stack.id,
    OperationId: changeSet.id.split('/').at(-1),
    OperationType: 'CREATE_CHANGESET',
    EventType: 'VALIDATION_ERROR',
    LogicalResourceId: failure.logicalId,
    PhysicalResourceId: '',
    ResourceType: failure.type,
    Timestamp: at(changeSet.at),
    ValidationFailureMode: 'FAIL',
    ValidationName: failure.name,
    ValidationStatus: 'FAILED',
    ValidationStatusReason: failure.reason,
    ValidationPath: failure.path
  }
}

function outputAnswer({ key, value, description }: Output): Answer {
  return {
    OutputKey: key,
    OutputValue: value,
    ...(description === undefined ? {} : { Description: description })
  }
}

function parameterAnswers(definition: Definition | undefined): readonly Answer[] {
  return [...(definition?.parameters ?? [])].map(([key, value]) => {
    const hidden = definition?.template.parameters.get(key)?.declaration['NoEcho']
    return { ParameterKey: key, ParameterValue: hidden === true || hidden === 'true' ? noEcho : value }
  })
}

function at(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
