import { isMap, type JsonMap } from '../engine/json.js'
import type { RenderedResource, RenderedStack } from './rendered-stack.js'
import { unknownValue } from './template-functions.js'

/** The stack's interruption queue as its template comes to. What only CloudFormation can know is left out. */
export interface RenderedQueue {
  readonly logicalId: string
  readonly name: string
  readonly url: string
  /** As SetQueueAttributes takes them, the policy aside: texts, JSON as text. */
  readonly attributes: Readonly<Record<string, string>>
  /** Undefined when the template gives the queue none. */
  readonly policy: JsonMap | undefined
  readonly tags: Readonly<Record<string, string>>
}

/** A rule of the stack. What only CloudFormation can know is left out. */
export interface RenderedRule {
  readonly logicalId: string
  /** Undefined when CloudFormation makes one up. */
  readonly name: string | undefined
  readonly pattern: JsonMap | undefined
  readonly schedule: string | undefined
  readonly description: string | undefined
  readonly roleArn: string | undefined
  /** ENABLED where the template says nothing. */
  readonly state: string
  readonly targets: readonly JsonMap[]
  /** Ids of targets that the template says more of; absent: none. */
  readonly partlyKnown?: readonly string[]
  readonly tags: Readonly<Record<string, string>>
}

/** Properties of AWS::SQS::Queue that are not attributes of the queue. */
const notAttributes = new Set(['QueueName', 'Tags'])

/** Undefined when the template has no queue with a name. */
export function renderedQueue({ queue, resources }: RenderedStack): RenderedQueue | undefined {
  const resource = resources.find((one) => one.type === 'AWS::SQS::Queue')
  if (queue === undefined || resource === undefined) return undefined
  const policy = resources.find(
    ({ type, properties }) =>
      type === 'AWS::SQS::QueuePolicy' && listOf(properties['Queues']).includes(queue.url)
  )?.properties['PolicyDocument']
  const attributes = Object.entries(resource.properties).filter(
    ([name, value]) => !notAttributes.has(name) && isKnown(value)
  )
  return {
    logicalId: resource.logicalId,
    name: queue.name,
    url: queue.url,
    attributes: {
      ...Object.fromEntries(
        Object.entries(defaultsOf(resource)).filter(([name]) => !(name in resource.properties))
      ),
      ...Object.fromEntries(attributes.map(([name, value]) => [name, textOf(value)]))
    },
    policy: isKnown(policy) ? documentOf(policy) : undefined,
    tags: tagsOf(resource)
  }
}

/**
 * SQS's own values of what a template leaves out (CreateQueue) and what matters here: an interruption is announced two
 * minutes ahead, and goes to nobody else. A queue of before 2025 takes messages of 256 KiB, a newer one of 1 MiB.
 */
function defaultsOf({ properties }: RenderedResource): Readonly<Record<string, string>> {
  return {
    DelaySeconds: '0',
    VisibilityTimeout: '30',
    MaximumMessageSize: '262144',
    RedrivePolicy: '',
    ...(!('KmsMasterKeyId' in properties) && { SqsManagedSseEnabled: 'true' })
  }
}

/** Rules of the default event bus, on which alone AWS's own events are. */
export function renderedRules({ resources }: Pick<RenderedStack, 'resources'>): readonly RenderedRule[] {
  return resources
    .filter(
      ({ type, properties }) => type === 'AWS::Events::Rule' && onDefaultBus(properties['EventBusName'])
    )
    .map((resource) => {
      const { logicalId, name, properties } = resource
      const pattern = documentOf(known(properties['EventPattern']))
      const partlyKnown = listOf(properties['Targets']).flatMap((target) =>
        isMap(target) && !isKnown(target) ? [String(target['Id'])] : []
      )
      return {
        logicalId,
        name,
        pattern,
        schedule: knownText(properties['ScheduleExpression']),
        description: knownText(properties['Description']),
        roleArn: knownText(properties['RoleArn']),
        state: knownText(properties['State']) ?? 'ENABLED',
        targets: listOf(properties['Targets']).map(known).filter(isMap),
        ...(partlyKnown.length > 0 && { partlyKnown }),
        tags: tagsOf(resource)
      }
    })
}

function onDefaultBus(bus: unknown): boolean {
  return bus === undefined || (typeof bus === 'string' && /(^|\/)default$/.test(bus))
}

function tagsOf({ properties }: RenderedResource): Readonly<Record<string, string>> {
  return Object.fromEntries(
    listOf(properties['Tags']).flatMap((tag) =>
      isMap(tag) && isKnown(tag) ? [[String(tag['Key']), String(tag['Value'])]] : []
    )
  )
}

/** Policies and patterns may stand in a template as text; what is no JSON CloudFormation refuses itself. */
function documentOf(value: unknown): JsonMap | undefined {
  const document = typeof value === 'string' ? parsed(value) : value
  return isMap(document) ? document : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isKnown(value: unknown): boolean {
  return value !== undefined && !JSON.stringify(value).includes(unknownValue)
}

function knownText(value: unknown): string | undefined {
  return typeof value === 'string' && isKnown(value) ? value : undefined
}

/** Without the members that are not known yet; undefined when nothing is. */
function known(value: unknown): unknown {
  if (isKnown(value)) return value
  if (!isMap(value)) return undefined
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, member]) => [key, known(member)] as const)
      .filter(([, member]) => member !== undefined)
  )
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value]
}
