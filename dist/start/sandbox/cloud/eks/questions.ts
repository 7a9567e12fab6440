import { textMap } from '../input.js'
import { type Context, requestTags, resourceTags } from '../operations.js'
import type { AwsCall, Question } from '../service.js'
import { required } from './pages.js'
import type { EksState } from './state.js'

export function tagPairs(
  tags: Readonly<Record<string, string>>
): readonly { readonly Key: string; readonly Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
}

/** The question for an action on a cluster that may or may not be there. */
export function clusterQuestion(
  state: EksState,
  action: string,
  name: string,
  context: Context = {}
): Question {
  const cluster = state.clusters.get(name)
  const own = cluster === undefined ? {} : resourceTags('eks', tagPairs(cluster.tags))
  return { action, resource: state.arn(`cluster/${name}`), context: { ...own, ...context } }
}

/** A call whose path names the cluster, on the cluster. */
export function onCluster(state: EksState, action: string) {
  return (call: AwsCall): readonly Question[] => [
    clusterQuestion(state, `eks:${action}`, required(call.input, 'clusterName'))
  ]
}

/** Making something that has tags asks for eks:TagResource on it as well. */
export function creation(question: Question, call: AwsCall, resource: string): readonly Question[] {
  const tags = tagPairs(textMap(call.input, 'tags'))
  if (tags.length === 0) return [question]
  const context = requestTags(tags)
  return [
    { ...question, context: { ...question.context, ...context } },
    { action: 'eks:TagResource', resource, context }
  ]
}
