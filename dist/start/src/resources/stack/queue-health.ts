import { type Health, type Look, well } from '../../engine/health.js'

type Attributes = Readonly<Record<string, string>>

/**
 * Looks at a queue that has messages, and milliseconds between them. The controller takes what comes within its long poll of
 * 20 s at most; SQS's counts are right within a minute (GetQueueAttributes, ApproximateNumberOfMessages).
 */
const looks = 7
const between = 10_000

/**
 * Whether somebody takes the messages. How old the oldest is only CloudWatch tells, so a queue with messages is looked at
 * again for a minute: one that has some each time, and none that anybody has taken, has nobody who listens.
 */
export async function queueHealth(
  name: string,
  first: Attributes,
  read: () => Promise<Attributes | undefined>,
  look: Look
): Promise<Health> {
  let now = first
  for (let turn = 1; turn < looks; turn++) {
    if (!isLeft(now)) return well
    await look.pause(between)
    now = (await read()) ?? {}
  }
  if (!isLeft(now)) return well
  const count = now[visible] ?? ''
  return {
    ailments: [
      {
        path: visible,
        wanted: '0',
        live: count,
        reason: `nobody takes the messages of SQS queue ${name}: ${count} wait, and did so for a minute; Karpenter does not hear of interruptions, which are forgotten after ${first['MessageRetentionPeriod'] ?? 'some'} s`,
        severity: 'breaks scaling',
        fix: "The controller must run, have this queue's name in settings.interruptionQueue, and be allowed sqs:ReceiveMessage and sqs:DeleteMessage on it: see the controller's log."
      }
    ],
    unread: []
  }
}

const visible = 'ApproximateNumberOfMessages'

function isLeft(attributes: Attributes): boolean {
  const number = (key: string): number => Number(attributes[key] ?? '0')
  return number(visible) > 0 && number('ApproximateNumberOfMessagesNotVisible') === 0
}
