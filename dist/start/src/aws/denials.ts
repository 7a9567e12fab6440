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
  const named = denialIn(error.message).action
  const called = commands.get(error)
  if (named === undefined) return called
  return called?.toLowerCase() === named.toLowerCase() ? called : named
}

export interface DenialText {
  /** iam:GetRole */
  readonly action: string | undefined
  readonly resource: string | undefined
  /** What kind of policy denied, and since 2026 which one: `an explicit deny in a service control policy: arn:...`. */
  readonly because: string | undefined
}

/**
 * What AWS's own sentence says, in an error or in an event of CloudFormation, which puts `(Service: Iam, ...)` behind it
 * (IAM User Guide, "Troubleshoot access denied error messages"; AWS Security Blog, "Enhanced access denied error messages
 * with policy ARNs").
 */
export function denialIn(text: string): DenialText {
  return {
    action: /not authorized to perform:? ([\w-]+:\w+)/i.exec(text)?.[1],
    resource: /on (?:the )?resource:? (.+?)(?= because | with an explicit deny| \(Service: |\.?$)/.exec(
      text
    )?.[1],
    because: /(?:because (?=no )|with (?=an explicit deny))(.+?)(?= \(Service: |\.?$)/.exec(text)?.[1]
  }
}

/**
 * What to do about a denial. `widen` is the advice where the identity's own policy lacks the action, or AWS does not say what
 * denied: against a control policy, a boundary, a session policy or the policy of a VPC endpoint no statement there helps.
 */
export function denialFix(action: string, because: string | undefined, widen: string): string {
  if (because === undefined || because.startsWith('no identity-based policy')) return widen
  const elsewhere = because.includes('identity-based policy')
    ? ''
    : " Another statement in the role's own policy does not help against it."
  return `Allow ${action} where it is denied: ${because}.${elsewhere}`
}

/** ` (an explicit deny in a service control policy)`: nothing where the role's own policy is what lacks. */
export function deniedElsewhere(because: string | undefined): string {
  return because === undefined || because.startsWith('no identity-based policy') ? '' : ` (${because})`
}
