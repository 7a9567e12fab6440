import { setTimeout } from 'node:timers/promises'
import { type Asker, asQuestioned, decide, refusal } from './authorisation.js'
import type { Faults } from './faults.js'
import { asOf, asOfNow } from './history.js'
import { refuseLate } from './iam/late.js'
import type { IamState } from './iam/state.js'
import {
  type AskedQuestion,
  type AwsCall,
  AwsError,
  type Fault,
  type Protocol,
  type Question,
  RawReply,
  type RecordedCall,
  type Service,
  type WriteGate
} from './service.js'
import { parseJsonObject } from './wire/json.js'

/** Thrown where the connection is to be cut instead of an answer. */
export class ConnectionReset extends Error {}

type Output = Readonly<Record<string, unknown>> | RawReply

/** From a call whose caller is known to its answer: faults, authorisation, the service itself, the record. */
export class Pipeline {
  readonly #iam: IamState
  readonly #faults: Faults
  #record: RecordedCall[] = []
  #gate: WriteGate | undefined

  constructor(iam: IamState, faults: Faults) {
    this.#iam = iam
    this.#faults = faults
  }

  calls(): readonly RecordedCall[] {
    return this.#record
  }

  setGate(gate: WriteGate | undefined): void {
    this.#gate = gate
  }

  clearCalls(): void {
    this.#record = []
  }

  async perform(service: Service, call: AwsCall, asker: Asker, host: string): Promise<Output> {
    const asked: AskedQuestion[] = []
    try {
      const output = await this.#answer(service, call, asker, asked)
      this.record(call, host, outcomeOf(output), asked)
      return output
    } catch (error) {
      this.record(call, host, error instanceof AwsError ? error.code : 'reset', asked)
      throw error
    }
  }

  record(call: AwsCall, host: string, outcome: string, asked: readonly AskedQuestion[] = []): void {
    this.#record.push({
      at: this.#iam.now(),
      service: call.service,
      action: call.action,
      region: call.region,
      host,
      callerArn: call.caller.arn,
      ...(call.via === undefined ? {} : { via: call.via }),
      outcome,
      input: withoutSecrets(call.input),
      asked,
      write: isWrite(call)
    })
  }

  async #answer(service: Service, call: AwsCall, asker: Asker, asked: AskedQuestion[]): Promise<Output> {
    const effect = this.#faults.next(call.service, call.action)
    const lost = lostAnswer(effect, call)
    if (lost !== undefined && !lost.done) throw lost.error
    if (effect?.kind === 'delay') await setTimeout(effect.milliseconds)
    await asOfNow(() => this.#authorise(service, call, asker, asked))
    if (effect?.kind === 'lag') {
      const then = this.#iam.now() - effect.milliseconds
      if (!isWrite(call)) return asOf(then, () => service.answer(call))
      if (effect.writes === true) asOf(then, () => refuseLate(this.#iam, call))
    }
    await this.#pass(call, 'before')
    const answered = await service.answer(call)
    await this.#pass(call, 'after')
    if (lost !== undefined) throw lost.error
    return answered
  }

  /** What a service calls in another's name is none of the gate's. */
  async #pass(call: AwsCall, moment: 'before' | 'after'): Promise<void> {
    if (this.#gate === undefined || call.via !== undefined || !isWrite(call)) return
    if ((await this.#gate(call, moment)) === 'cut')
      throw new ConnectionReset(`${call.service} ${call.action}: the connection is cut`)
  }

  async #authorise(service: Service, call: AwsCall, asker: Asker, asked: AskedQuestion[]): Promise<void> {
    for (const question of await service.questions(call)) {
      asked.push(asQuestioned(this.#iam, asker, question))
      const decision = decide(this.#iam, asker, question)
      if (!decision.allowed) throw denial(service.protocol, asker, question, decision.reason)
    }
  }
}

/** What the caller gets instead of the answer, and whether the call is carried out before. */
function lostAnswer(
  effect: Fault['effect'] | undefined,
  { service, action }: AwsCall
): { readonly error: Error; readonly done: boolean } | undefined {
  switch (effect?.kind) {
    case 'error':
      return { error: new AwsError(effect.code, effect.message, effect.status), done: effect.done === true }
    case 'reset':
      return {
        error: new ConnectionReset(`${service} ${action}: the connection is cut, as a fault asks`),
        done: effect.done === true
      }
    default:
      return undefined
  }
}

function denial(protocol: Protocol, asker: Asker, question: Question, reason: string): AwsError {
  const message = refusal(asker.caller, question, reason)
  switch (protocol) {
    case 'query':
      return new AwsError('AccessDenied', message, 403)
    case 'ec2':
      return new AwsError(
        'UnauthorizedOperation',
        // Real ones go on like this for hundreds of characters.
        `You are not authorized to perform this operation. ${message}. Encoded authorization failure message: ${Buffer.from(message).toString('base64url')}`,
        403
      )
    case 'json':
      return new AwsError('AccessDeniedException', message, 400)
    case 'rest-json':
      return new AwsError('AccessDeniedException', message, 403)
  }
}

const reading = /^(Get|List|Describe|Simulate|Estimate|Receive|Assume|Validate)/

function isWrite(call: AwsCall): boolean {
  return !reading.test(call.action) && call.input['DryRun'] !== 'true'
}

/** Of a reply that a server behind the front wrote, the error's code is dug out. */
export function outcomeOf(output: Output): string {
  if (!(output instanceof RawReply) || output.status < 400) return 'ok'
  const xml = /<Code>([^<]+)<\/Code>/.exec(output.body)?.[1]
  const json = parseJsonObject(output.body)
  const type = output.headers['x-amzn-errortype'] ?? json?.['__type']
  const code = xml ?? (typeof type === 'string' ? type : undefined)
  return code?.replace(/^.*#/, '').replace(/:.*$/, '') ?? output.status.toString()
}

/** Web identity tokens are credentials: the record is printed and compared. */
function withoutSecrets(input: AwsCall['input']): AwsCall['input'] {
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => [
      name,
      /^(WebIdentityToken|token)$/.test(name) ? '***' : value
    ])
  )
}
