import type { Aws } from '../../aws/clients.js'
import { awsProblem, codeOf, isNotFound, liveOf } from '../../aws/errors.js'
import { creationTags } from '../../aws/ownership-tags.js'
import { parsePolicy } from '../../aws/policy/document.js'
import { poll, untilShown } from '../../aws/poll.js'
import { missing, type Difference, type Severity } from '../../engine/difference.js'
import { UserError } from '../../engine/errors.js'
import { canonical, isMap } from '../../engine/json.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'
import type { Ownership } from '../../aws/environment.js'
import type { RenderedQueue } from '../../karpenter/rendered-interruption.js'
import { queueHealth } from './queue-health.js'
import { documentDifferences } from './policy-drift.js'
import { idOf } from '../ids.js'

export interface QueueWanted extends Omit<RenderedQueue, 'logicalId'> {
  readonly clusterName: string
  readonly stackName: string
}

/** Attributes by name, as GetQueueAttributes gives them. */
type Attributes = Readonly<Record<string, string>>

interface Ports {
  readonly aws: Aws
  readonly ownership: Ownership
  /** Tags of the stack; undefined when there is no stack. */
  readonly stackTags: () => Promise<Readonly<Record<string, string>> | undefined>
  readonly dependsOn?: readonly string[]
}

/**
 * The stack's queue and its policy, read from SQS itself: CloudFormation does not look at them again once they are made.
 * A queue that was deleted is made again under its name; its URL is its id in the stack, so that the stack is whole again.
 */
export function interruptionQueue(wanted: QueueWanted, ports: Ports): AnyResource {
  const title = `SQS queue ${wanted.name}`
  const { aws } = ports

  async function read(): Promise<Attributes | undefined> {
    const { GetQueueAttributesCommand } = await import('../../aws/sdk/sqs.js')
    const sqs = await aws.sqs()
    try {
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: wanted.url, AttributeNames: ['All'] })
      )
      return Attributes
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async function create(step: Step): Promise<void> {
    const { CreateQueueCommand } = await import('../../aws/sdk/sqs.js')
    const sqs = await aws.sqs()
    const tags = { ...((await ports.stackTags()) ?? creationTags({}, ports.ownership)), ...wanted.tags }
    const command = new CreateQueueCommand({
      QueueName: wanted.name,
      Attributes: {
        // What is empty turns something off that a new queue has not.
        ...Object.fromEntries(Object.entries(wanted.attributes).filter(([, value]) => value !== '')),
        ...(wanted.policy !== undefined && { Policy: JSON.stringify(wanted.policy) })
      },
      tags
    })
    let refused = false
    await poll(
      step,
      {
        what: `SQS to give the name ${wanted.name} away again`,
        timeoutMilliseconds: 120_000,
        firstPauseMilliseconds: 5_000,
        longestPauseMilliseconds: 10_000,
        giveUp: () =>
          new UserError(
            title,
            'was deleted, and SQS does not give its name away again after two minutes',
            'Run again.'
          )
      },
      async () => {
        try {
          await sqs.send(command)
          return true
        } catch (error) {
          if (!isQueueDeletedRecently(error)) throw error
          if (!refused) step.note(`${title} was deleted less than a minute ago: its name is free after one`)
          refused = true
          return undefined
        }
      }
    )
    step.changed(`created ${title} again, which had been deleted`)
  }

  async function set(differences: readonly Difference[], step: Step): Promise<void> {
    const { SetQueueAttributesCommand } = await import('../../aws/sdk/sqs.js')
    const sqs = await aws.sqs()
    const names = [...new Set(differences.map(({ path }) => path.split('.')[0] ?? ''))]
    const values: Attributes = Object.fromEntries(
      names.flatMap((name) => Object.entries(valuesOf(wanted, name)))
    )
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: wanted.url, Attributes: values }))
    for (const name of names) {
      const policy = name === 'policy'
      step.changed(
        policy ? `put back the policy of ${title}` : `set ${name} of ${title} to ${values[name] ?? ''}`
      )
    }
  }

  return resource<QueueWanted, Attributes>(
    {
      id: idOf.queue,
      layer: 'cloudformation',
      title,
      dependsOn: ports.dependsOn ?? [idOf.stack],
      wanted,
      read: async () => liveOf(title, read),
      compare: differencesOf,
      absent: (want) => [missing(`SQS queue ${want.name}`, want.name)],
      health: async (live, look) => queueHealth(wanted.name, live, async () => read(), look),
      apply: async (_live, _differences, step) => {
        try {
          // The stack, which comes before, may have made it meanwhile.
          const now = await read()
          if (now === undefined) await create(step)
          else {
            const differences = differencesOf(wanted, now)
            if (differences.length === 0) return
            await set(differences, step)
          }
          await awaitShown(step)
        } catch (error) {
          throw awsProblem(title, 'could not be put right', error)
        }
      },
      sign: { by: 'whole', whole: idOf.stack },
      remove: async (): Promise<Removal> => ({ outcome: 'removed' })
    },
    isWanted
  )

  /** Attributes show within a minute, the retention within a quarter of an hour (SetQueueAttributes). */
  async function awaitShown(step: Step): Promise<void> {
    await poll(
      step,
      untilShown(
        `${title} to show what was set`,
        title,
        'was put right and does not show it two minutes later'
      ),
      async () => {
        const now = await read()
        if (now === undefined) return undefined
        const open = differencesOf(wanted, now).filter(({ path }) => path !== 'MessageRetentionPeriod')
        return open.length === 0 ? true : undefined
      }
    )
  }
}

/** By its name, or by the code that SQS had before it spoke JSON: AWS.SimpleQueueService.QueueDeletedRecently. */
function isQueueDeletedRecently(error: unknown): boolean {
  return /(^|\.)QueueDeletedRecently$/.test(codeOf(error) ?? '')
}

/** What to set where an attribute differs. A queue has one kind of encryption: the other one must be turned off with it. */
function valuesOf(wanted: QueueWanted, name: string): Attributes {
  if (name === 'policy') return { Policy: JSON.stringify(wanted.policy) }
  const value = wanted.attributes[name] ?? ''
  const { SqsManagedSseEnabled, KmsMasterKeyId } = wanted.attributes
  if (name === 'SqsManagedSseEnabled' && value === 'true') return { [name]: value, KmsMasterKeyId: '' }
  if (name === 'KmsMasterKeyId' && SqsManagedSseEnabled === undefined)
    return { [name]: value, SqsManagedSseEnabled: 'false' }
  if (name === 'SqsManagedSseEnabled' && KmsMasterKeyId !== undefined)
    return { [name]: value, KmsMasterKeyId }
  return { [name]: value }
}

function differencesOf(wanted: QueueWanted, live: Attributes): readonly Difference[] {
  const attributes = Object.entries(wanted.attributes).flatMap(([name, value]): Difference[] => {
    const now = live[name]
    if (isAsWanted(name, value, now)) return []
    return [{ path: name, wanted: value, live: now, ...judgement(name, live) }]
  })
  if (wanted.policy === undefined) return attributes
  const policy = live['Policy'] ?? { Version: parsePolicy(wanted.policy).version, Statement: [] }
  return [
    ...attributes,
    ...documentDifferences(wanted.policy, policy, { prefix: 'policy.', of: "the queue's policy" })
  ]
}

function judgement(name: string, live: Attributes): { readonly reason: string; readonly severity: Severity } {
  const now = live[name] ?? 'not set'
  const key = live['KmsMasterKeyId'] ?? ''
  switch (name) {
    case 'SqsManagedSseEnabled':
      return key === ''
        ? { reason: 'messages are not encrypted at rest', severity: 'weakens security' }
        : {
            reason: `messages are encrypted with ${key}, which EventBridge may be refused`,
            severity: 'breaks scaling'
          }
    case 'KmsMasterKeyId':
      return {
        reason: `messages are encrypted with ${key || "no key of one's own"}`,
        severity: 'weakens security'
      }
    case 'DelaySeconds':
      return { reason: `each interruption is heard of ${now} s late`, severity: 'breaks scaling' }
    case 'MaximumMessageSize':
      return { reason: `events of more than ${now} bytes are refused`, severity: 'breaks scaling' }
    case 'RedrivePolicy':
      return {
        reason: `messages that were not dealt with at once go to another queue: ${now}`,
        severity: 'changes behaviour'
      }
    case 'VisibilityTimeout':
      return {
        reason: `whoever takes a message and does not say for how long has it for ${now} s`,
        severity: 'changes behaviour'
      }
    case 'MessageRetentionPeriod':
      return {
        reason: `MessageRetentionPeriod is ${now}`,
        severity: Number(now) < 300 ? 'changes behaviour' : 'cosmetic'
      }
    default:
      return { reason: `${name} is ${now}`, severity: 'changes behaviour' }
  }
}

/** One that takes more than it must is as good, and what is not set is as if it were empty. */
function isAsWanted(name: string, wanted: string, live: string | undefined): boolean {
  if (live === undefined) return wanted === ''
  if (name === 'MaximumMessageSize') return Number(live) >= Number(wanted)
  return sameAttribute(wanted, live)
}

/** JSON by what it says, everything else as text. */
function sameAttribute(a: string, b: string): boolean {
  if (a === b) return true
  if (!a.startsWith('{') || !b.startsWith('{')) return a.toLowerCase() === b.toLowerCase()
  try {
    return canonical(JSON.parse(a)) === canonical(JSON.parse(b))
  } catch {
    return false
  }
}

function isWanted(value: unknown): value is QueueWanted {
  return isMap(value) && typeof value['url'] === 'string' && isMap(value['attributes'])
}
