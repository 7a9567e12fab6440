import { isRecord, list, optionalText, tagList, texts, type Input } from '../input.js'
import { requestTags, type Context } from '../operations.js'
import { AwsError, type AwsCall, type Question, type Service } from '../service.js'
import type { MotoClient } from './client.js'

/** EventBridge: moto's rules and targets. */
export function events(moto: MotoClient, partition: string): Service {
  return {
    name: 'events',
    protocol: 'json',
    async questions(call) {
      return questionsOf(call, partition)
    },
    async answer({ region, action, input }) {
      if (action === 'DeleteRule') await refuseWhileTargeted(moto, region, input)
      const answer = await moto.json(region, 'events', action, input)
      return action === 'ListRules' ? { ...answer, Rules: list(answer, 'Rules').map(ruleListed) } : answer
    }
  }
}

/** moto shows who made a rule in a listing too; EventBridge only where one is described (Rule, DescribeRuleResponse). */
function ruleListed(rule: unknown): unknown {
  if (!isRecord(rule)) return rule
  return Object.fromEntries(Object.entries(rule).filter(([member]) => member !== 'CreatedBy'))
}

/** moto deletes a rule with its targets; EventBridge does not. */
async function refuseWhileTargeted(moto: MotoClient, region: string, input: Input): Promise<void> {
  const bus = optionalText(input, 'EventBusName')
  const listed = await moto
    .json(region, 'events', 'ListTargetsByRule', {
      Rule: input['Name'],
      ...(bus === undefined ? {} : { EventBusName: bus })
    })
    .catch((error: unknown) => {
      if (error instanceof AwsError) return {}
      throw error
    })
  if (list(listed, 'Targets').length > 0) {
    throw new AwsError('ValidationException', "Rule can't be deleted since it has targets.")
  }
}

function questionsOf({ action, input, region, caller }: AwsCall, partition: string): readonly Question[] {
  const bus = optionalText(input, 'EventBusName')
  const name = optionalText(input, 'Name') ?? optionalText(input, 'Rule') ?? '*'
  const path =
    bus === undefined || bus === 'default' ? name : `${bus.slice(bus.lastIndexOf('/') + 1)}/${name}`
  const resource =
    optionalText(input, 'ResourceARN') ?? `arn:${partition}:events:${region}:${caller.accountId}:rule/${path}`
  const tags = tagList(input)
  const keys = action === 'UntagResource' ? { 'aws:TagKeys': texts(input, 'TagKeys') } : requestTags(tags)
  const role = optionalText(input, 'RoleArn')
  return [
    {
      action: `events:${action}`,
      resource,
      context: {
        ...keys,
        ...(action === 'PutRule' ? patternKeys(input) : {}),
        ...(action === 'PutTargets' ? { 'events:TargetArn': targetArns(input) } : {})
      }
    },
    ...(action === 'PutRule' && tags.length > 0
      ? [{ action: 'events:TagResource', resource, context: requestTags(tags) }]
      : []),
    ...(role === undefined
      ? []
      : [
          {
            action: 'iam:PassRole',
            resource: role,
            context: { 'iam:PassedToService': 'events.amazonaws.com' }
          }
        ])
  ]
}

function targetArns(input: Input): readonly string[] {
  return list(input, 'Targets').flatMap((target) => {
    const arn = isRecord(target) ? target['Arn'] : undefined
    return typeof arn === 'string' ? [arn] : []
  })
}

/** events:source and events:detail-type, out of the rule's pattern. */
function patternKeys(input: Input): Context {
  const pattern: unknown = JSON.parse(optionalText(input, 'EventPattern') ?? '{}')
  if (!isRecord(pattern)) return {}
  return Object.fromEntries(
    (['source', 'detail-type'] as const)
      .map((key) => [`events:${key}`, texts(pattern, key)] as const)
      .filter(([, values]) => values.length > 0)
  )
}
