import { Refusal, type Handlers } from '../../aws/stand-in.js'

/** A stack as the stand-in keeps it. */
export interface State {
  status?: string
  template?: string
  tags?: Record<string, string>
  changeSet?: { type: string; template: string; tags: Record<string, string>; changes: boolean }
  /** Statuses that follow an execution or deletion, one a read. */
  next?: string[]
  /** What an execution comes to; CREATE_COMPLETE or UPDATE_COMPLETE when absent. */
  outcome?: string[]
  events?: { id: string; type?: string; status: string; reason?: string }[]
  resources?: string[]
  deletes?: number
}

const stackId = 'arn:aws:cloudformation:eu-west-1:111122223333:stack/Karpenter-blue/1'

/** CloudFormation with at most one stack. */
export function cloudformation(state: State): Handlers {
  const gone = () => new Refusal('ValidationError', 'Stack with id Karpenter-blue does not exist', 400)
  const advance = () => {
    const status = state.next?.shift()
    if (status === 'DELETE_COMPLETE') {
      delete state.status
      delete state.template
    } else if (status !== undefined) state.status = status
  }
  const tagsOf = (input: Readonly<Record<string, unknown>>) => {
    const tags: Record<string, string> = {}
    for (let index = 1; `Tags.member.${index}.Key` in input; index++) {
      tags[String(input[`Tags.member.${index}.Key`])] = String(input[`Tags.member.${index}.Value`])
    }
    return tags
  }
  return {
    DescribeStacks: () => {
      advance()
      if (state.status === undefined) throw gone()
      return {
        Stacks: [
          {
            StackId: stackId,
            StackName: 'Karpenter-blue',
            CreationTime: '2026-01-01T00:00:00Z',
            StackStatus: state.status,
            Parameters: [{ ParameterKey: 'ClusterName', ParameterValue: 'blue' }],
            Tags: Object.entries(state.tags ?? {}).map(([Key, Value]) => ({ Key, Value }))
          }
        ]
      }
    },
    GetTemplate: () => {
      if (state.template === undefined) throw gone()
      return { TemplateBody: state.template }
    },
    CreateChangeSet: (input) => {
      if (state.changeSet !== undefined) {
        throw new Refusal(
          'AlreadyExistsException',
          'ChangeSet setup-karpenter cannot be created due to a mismatch',
          400
        )
      }
      const text = String(input['TemplateBody'])
      const tags = tagsOf(input)
      const same =
        text.replace(/^#.*\n/gm, '') === state.template && JSON.stringify(tags) === JSON.stringify(state.tags)
      state.changeSet = { type: String(input['ChangeSetType']), template: text, tags, changes: !same }
      state.status ??= 'REVIEW_IN_PROGRESS'
      return { Id: 'arn:changeset', StackId: stackId }
    },
    DescribeChangeSet: () => {
      if (state.changeSet === undefined) throw new Refusal('ChangeSetNotFound', 'no change set', 404)
      if (!state.changeSet.changes) {
        return {
          Status: 'FAILED',
          StatusReason:
            "The submitted information didn't contain changes. Submit different information to create a change set."
        }
      }
      const action = state.changeSet.type === 'CREATE' ? 'Add' : 'Modify'
      return {
        Status: 'CREATE_COMPLETE',
        Changes: [
          {
            Type: 'Resource',
            ResourceChange: {
              Action: action,
              LogicalResourceId: 'KarpenterNodeRole',
              ResourceType: 'AWS::IAM::Role'
            }
          },
          {
            Type: 'Resource',
            ResourceChange: { Action: action, LogicalResourceId: 'Queue', ResourceType: 'AWS::SQS::Queue' }
          }
        ]
      }
    },
    DeleteChangeSet: () => {
      delete state.changeSet
    },
    ExecuteChangeSet: () => {
      const { changeSet } = state
      if (changeSet === undefined) throw new Refusal('ChangeSetNotFound', 'no change set', 404)
      delete state.changeSet
      const verb = changeSet.type
      state.next = [`${verb}_IN_PROGRESS`, ...(state.outcome ?? [`${verb}_IN_PROGRESS`, `${verb}_COMPLETE`])]
      if (!state.next.at(-1)?.includes('ROLLBACK')) state.template = changeSet.template
      state.tags = changeSet.tags
    },
    DescribeStackEvents: () => ({
      StackEvents: [
        ...(
          state.events ?? [
            { id: 'KarpenterNodeRole', status: 'CREATE_COMPLETE' },
            { id: 'Queue', status: 'CREATE_IN_PROGRESS' }
          ]
        ).map((event) => ({
          StackId: stackId,
          EventId: 'e',
          StackName: 'Karpenter-blue',
          Timestamp: '2026-01-01T00:00:00Z',
          LogicalResourceId: event.id,
          PhysicalResourceId: `${event.id}-physical`,
          ResourceType: event.type ?? 'AWS::SQS::Queue',
          ResourceStatus: event.status,
          ResourceStatusReason: event.reason
        })),
        {
          StackId: stackId,
          EventId: 'e',
          StackName: 'Karpenter-blue',
          Timestamp: '2026-01-01T00:00:00Z',
          LogicalResourceId: 'Karpenter-blue',
          PhysicalResourceId: stackId,
          ResourceType: 'AWS::CloudFormation::Stack',
          ResourceStatus: 'CREATE_IN_PROGRESS'
        }
      ]
    }),
    DescribeStackResources: () => ({
      StackResources: (state.resources ?? []).map((id) => ({
        LogicalResourceId: id,
        PhysicalResourceId: id,
        ResourceType: 'x',
        ResourceStatus: 'CREATE_COMPLETE',
        Timestamp: '2026-01-01T00:00:00Z'
      }))
    }),
    DeleteStack: () => {
      state.deletes = (state.deletes ?? 0) + 1
      state.next = ['DELETE_IN_PROGRESS', 'DELETE_COMPLETE']
    }
  }
}
