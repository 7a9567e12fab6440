import type { QueueInput } from '../inputs.js'
import { matches } from '../karpenter/action-match.js'
import type { RenderedStack } from '../karpenter/rendered-stack.js'
import type { Check, Finding } from './finding.js'

export interface QueueFacts {
  readonly input: QueueInput
  readonly region: string
  readonly karpenterVersion: string
  readonly stack: Pick<RenderedStack, 'queue' | 'policies'>
  /** sqs:GetQueueUrl; undefined when there is no queue of that name in this account and region. */
  readonly queueUrl: (name: string) => Promise<string | undefined>
}

/** A queue that is named but not there: up to 1.3 the controller panics on it, later it never hears of interruptions. */
export function queue(facts: QueueFacts): Check {
  return { name: 'queue', run: async () => check(facts) }
}

async function check({ input, region, karpenterVersion, stack, queueUrl }: QueueFacts): Promise<Finding[]> {
  const finding = (level: Finding['level'], problem: string, evidence: string, fix: string): Finding => ({
    check: 'queue',
    level,
    subject: 'interruption-queue',
    problem,
    evidence,
    fix
  })
  if (input.kind === 'none') return []
  if (input.kind === 'stack') {
    if (stack.queue !== undefined) return []
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
  if (name === stack.queue?.name) return []
  const url = await queueUrl(name)
  if (url === undefined) {
    return [
      finding(
        'error',
        `there is no queue "${name}" in ${region}`,
        `Karpenter ${karpenterVersion} takes a name, in the cluster's own account and region`,
        `Pass \`interruption-queue: stack\` for the queue that the stack makes${stack.queue === undefined ? '' : ` (${stack.queue.name})`}, the name of one that is there, or \`none\`.`
      )
    ]
  }
  const allowed = stack.policies.some((policy) =>
    statementsOf(policy.document).some(
      (statement) =>
        listOf(statement['Action']).some((action) => matches(action, 'sqs:ReceiveMessage')) &&
        listOf(statement['Resource']).some((resource) => matches(resource, arnOf(url, stack)))
    )
  )
  return allowed
    ? []
    : [
        finding(
          'warning',
          `the controller's policies allow it to read ${stack.queue?.name ?? 'no queue'}, not "${name}"`,
          '',
          `Allow sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueUrl on "${name}" to the controller's role.`
        )
      ]
}

/** `https://sqs.<region>.<suffix>/<account>/<name>` as an ARN of the stack's own partition and region. */
function arnOf(url: string, stack: Pick<RenderedStack, 'queue'>): string {
  const [account = '', name = ''] = new URL(url).pathname.split('/').slice(-2)
  const [, partition = 'aws', , region = ''] = (stack.queue?.arn ?? '').split(':')
  return `arn:${partition}:sqs:${region}:${account}:${name}`
}

function statementsOf(document: Readonly<Record<string, unknown>>): Record<string, unknown>[] {
  const statements: unknown = document['Statement']
  return (Array.isArray(statements) ? statements : [statements]).filter(
    (one: unknown): one is Record<string, unknown> => typeof one === 'object' && one !== null
  )
}

function listOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map(String)
}
