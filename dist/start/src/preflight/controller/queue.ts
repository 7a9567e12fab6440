import { mapAt } from '../../engine/json.js'
import { matches, matchesAction } from '../../aws/wildcards.js'
import { allowancesOf } from '../../aws/policy/statements.js'
import { renderedRules } from '../../karpenter/rendered-interruption.js'
import type { RenderedStack } from '../../karpenter/rendered-stack.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'

type QueueFacts = Pick<
  Facts,
  'interruptionQueue' | 'helmValues' | 'region' | 'version' | 'queueUrl' | 'adoptedQueue'
> & { readonly stack: Pick<RenderedStack, 'queue' | 'policies' | 'resources'> }

/**
 * The chart's queue, the stack's queue and the rules' target are one and the same. A queue that is named but not there:
 * up to 1.3 the controller panics on it, later it never hears of interruptions.
 */
export async function queue(facts: QueueFacts): Promise<readonly Concern[]> {
  return [...chartQueue(facts), ...(await inputQueue(facts))]
}

function finding(level: Concern['level'], problem: string, evidence: string, fix: string): Concern {
  return { level, subject: 'interruption-queue', problem, evidence, fix }
}

/** The chart's value comes from the input: two that say different things are a mistake in one of them. */
function chartQueue({ interruptionQueue: input, helmValues, stack }: QueueFacts): Concern[] {
  const value = mapAt(helmValues, 'settings')['interruptionQueue']
  if (value === undefined) return []
  const own = input.kind === 'none' ? '' : input.kind === 'named' ? input.name : (stack.queue?.name ?? '')
  const name = typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value)
  if (name === own) return []
  const pass = name === '' ? 'none' : name === stack.queue?.name ? 'stack' : name
  return [
    {
      ...finding(
        'error',
        `settings.interruptionQueue is "${name}", and the queue of this installation ${own === '' ? 'is none' : `"${own}"`}`,
        `interruption-queue: ${input.kind === 'named' ? input.name : input.kind}`,
        `Leave settings.interruptionQueue out, and pass \`interruption-queue: ${pass}\` if that is the queue.`
      ),
      subject: 'helm-values'
    }
  ]
}

async function inputQueue(facts: QueueFacts): Promise<Concern[]> {
  const { interruptionQueue: input, region, version, stack, queueUrl } = facts
  if (input.kind === 'none') return []
  if (input.kind === 'stack') {
    if (stack.queue !== undefined) return unfed(stack, stack.queue)
    return [
      finding(
        'error',
        'the template makes no queue',
        'it has no AWS::SQS::Queue with a QueueName',
        'Add one to the template, or pass the name of a queue that is there, or `interruption-queue: none`.'
      )
    ]
  }
  const { name } = input
  if (/^arn:|^https?:/.test(name)) {
    return [
      finding(
        'error',
        `"${name}" is not a queue's name`,
        '',
        `Pass the name alone: ${name.split(/[:/]/).at(-1) ?? ''}.`
      )
    ]
  }
  // The stack's own queue need not be there yet.
  if (name === stack.queue?.name) return unfed(stack, stack.queue)
  const url = await queueUrl(name)
  if (url === undefined) {
    return [
      finding(
        'error',
        `there is no queue "${name}" in ${region}`,
        `Karpenter ${version} takes a name, in the cluster's own account and region`,
        `Pass \`interruption-queue: stack\` for the queue that the stack makes${stack.queue === undefined ? '' : ` (${stack.queue.name})`}, the name of one that is there, or \`none\`.`
      )
    ]
  }
  // Who made an adopted queue made its rules, and the policies name it.
  if (facts.adoptedQueue !== undefined) return []
  const arn = arnOf(url, stack)
  return [...unfed(stack, { name, arn }), ...(mayRead(stack, arn) ? [] : [unreadable(name, stack)])]
}

/** Rules that lead to another queue, or none at all: the controller listens where nothing is ever said. */
function unfed(
  stack: QueueFacts['stack'],
  { name, arn }: { readonly name: string; readonly arn: string }
): Concern[] {
  const targets = renderedRules(stack).flatMap((rule) => rule.targets.map((target) => String(target['Arn'])))
  if (targets.includes(arn)) return []
  const others = [...new Set(targets)].map((target) => target.split(':').at(-1) ?? target)
  return [
    finding(
      'warning',
      `no rule of the stack leads to "${name}", so Karpenter hears of no interruption unless others' rules do`,
      others.length === 0 ? 'the template has no rule with a target' : `they lead to ${others.join(', ')}`,
      stack.queue === undefined || stack.queue.name === name
        ? 'Make rules that lead to it, as the published template has them.'
        : `Pass \`interruption-queue: stack\` for ${stack.queue.name}, or make rules that lead to "${name}".`
    )
  ]
}

function mayRead(stack: QueueFacts['stack'], arn: string): boolean {
  return allowancesOf(stack.policies.map(({ document }) => document)).some(
    ({ action, resources }) =>
      matchesAction(action, 'sqs:ReceiveMessage') && resources.some((resource) => matches(resource, arn))
  )
}

function unreadable(name: string, stack: QueueFacts['stack']): Concern {
  return finding(
    'warning',
    `the controller's policies allow it to read ${stack.queue?.name ?? 'no queue'}, not "${name}"`,
    '',
    `Allow sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueUrl on "${name}" to the controller's role.`
  )
}

/** `https://sqs.<region>.<suffix>/<account>/<name>` as an ARN of the stack's own partition and region. */
function arnOf(url: string, stack: Pick<RenderedStack, 'queue'>): string {
  const [account = '', name = ''] = new URL(url).pathname.split('/').slice(-2)
  const [, partition = 'aws', , region = ''] = (stack.queue?.arn ?? '').split(':')
  return `arn:${partition}:sqs:${region}:${account}:${name}`
}
