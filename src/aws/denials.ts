/**
 * EC2 ends a denial with hundreds of characters that only sts:DecodeAuthorizationMessage reads (aws/karpenter-provider-aws#2813);
 * they would hide what stands before them.
 */
export function withoutEncoded(text: string): string {
  return text.replaceAll(/[.,;:]?\s*Encoded authorization failure message: [\w+/=-]+/g, '')
}

const commands = new WeakMap<Error, string>()

/** Services of the clients whose actions IAM knows under another prefix. */
const prefixes: Readonly<Record<string, string>> = { eventbridge: 'events' }

/** Keeps with an error of AWS which action was asked for; `service` is its client's: ec2, eventbridge. */
export function askedFor(error: unknown, service: string, command: string): void {
  if (!(error instanceof Error) || service === '' || command === '') return
  commands.set(error, `${prefixes[service] ?? service}:${command}`)
  const text = withoutEncoded(error.message)
  if (text !== error.message) error.message = text
}

/**
 * The action that a denial is about: as AWS names it, or the one that was called. SQS writes its actions in small letters,
 * and names none in some denials (answers recorded by cloud-custodian).
 */
export function deniedAction(error: Error): string | undefined {
  const named = /not authorized to perform:? ([\w-]+:\w+)/.exec(error.message)?.[1]
  const called = commands.get(error)
  if (named === undefined) return called
  return called?.toLowerCase() === named.toLowerCase() ? called : named
}
