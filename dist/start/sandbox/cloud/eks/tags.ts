import { textMap, texts } from '../input.js'
import { type Operations, requestTags, resourceTags } from '../operations.js'
import type { AwsCall } from '../service.js'
import { notFound, type EksState } from './state.js'
import { required } from './pages.js'
import { tagPairs } from './questions.js'

type Tags = Readonly<Record<string, string>>

/** One interface to the tags of clusters, access entries, add-ons, Fargate profiles and associations. */
interface Tagged {
  readonly tags: Tags
  readonly save: (tags: Tags) => void
}

export function tagOperations(state: EksState): Operations {
  const known = ({ input }: AwsCall) => {
    const arn = required(input, 'resourceArn')
    return find(state, arn) ?? notFound(`Resource ${arn} is not found.`)
  }
  const question = (
    action: string,
    call: AwsCall,
    context: Readonly<Record<string, string | readonly string[]>>
  ) => {
    const resource = required(call.input, 'resourceArn')
    const own = resourceTags('eks', tagPairs(find(state, resource)?.tags ?? {}))
    return [{ action: `eks:${action}`, resource, context: { ...own, ...context } }]
  }
  return {
    ListTagsForResource: {
      questions: (call) => question('ListTagsForResource', call, {}),
      answer: (call) => ({ tags: known(call).tags })
    },
    TagResource: {
      questions: (call) => question('TagResource', call, requestTags(tagPairs(textMap(call.input, 'tags')))),
      answer: (call) => {
        const tagged = known(call)
        tagged.save({ ...tagged.tags, ...textMap(call.input, 'tags') })
        return {}
      }
    },
    UntagResource: {
      questions: (call) => question('UntagResource', call, { 'aws:TagKeys': texts(call.input, 'tagKeys') }),
      answer: (call) => {
        const tagged = known(call)
        const gone = texts(call.input, 'tagKeys')
        tagged.save(Object.fromEntries(Object.entries(tagged.tags).filter(([key]) => !gone.includes(key))))
        return {}
      }
    }
  }
}

function find(state: EksState, arn: string): Tagged | undefined {
  const cluster = state.clusters.values().find((item) => item.arn === arn)
  if (cluster !== undefined) {
    return { tags: cluster.tags, save: (tags) => state.clusters.set(cluster.name, { ...cluster, tags }) }
  }
  const entry = state.accessEntries.values().find((item) => item.accessEntryArn === arn)
  if (entry !== undefined) return { tags: entry.tags, save: (tags) => state.saveEntry({ ...entry, tags }) }
  const addon = state.addons.values().find((item) => item.addonArn === arn)
  if (addon !== undefined) return { tags: addon.tags, save: (tags) => state.saveAddon({ ...addon, tags }) }
  const profile = state.fargateProfiles.values().find((item) => item.arn === arn)
  if (profile !== undefined) {
    return { tags: profile.tags, save: (tags) => state.saveFargateProfile({ ...profile, tags }) }
  }
  const association = state.associations.values().find((item) => item.associationArn === arn)
  if (association === undefined) return undefined
  return {
    tags: association.tags,
    save: (tags) => state.associations.set(association.associationId, { ...association, tags })
  }
}
