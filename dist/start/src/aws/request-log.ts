import { createHash } from 'node:crypto'
import { canonical } from '../engine/json.js'

/** One attempt of one AWS call. */
export interface AwsRequest {
  /** iam, ec2, sts */
  readonly service: string
  /** GetRole */
  readonly action: string
  /** From 1; higher for retries. */
  readonly attempt: number
  readonly milliseconds: number
  /** `ok`, or the error's name. */
  readonly outcome: string
  /** True for actions that change something. */
  readonly write: boolean
}

export interface DuplicateRequest {
  readonly service: string
  readonly action: string
  readonly times: number
}

/** Every AWS request of a run, for its report. Inputs are kept only as hashes: some hold tokens. */
export class RequestLog {
  readonly #requests: AwsRequest[] = []
  readonly #calls = new Map<string, { service: string; action: string; times: number }>()

  add(request: AwsRequest, input: unknown): void {
    this.#requests.push(request)
    if (request.attempt > 1) return
    const key = createHash('sha256')
      .update(`${request.service}:${request.action}:${canonical(input)}`)
      .digest('base64')
    const call = this.#calls.get(key) ?? { service: request.service, action: request.action, times: 0 }
    this.#calls.set(key, { ...call, times: call.times + 1 })
  }

  get all(): readonly AwsRequest[] {
    return this.#requests
  }

  get total(): number {
    return this.#requests.length
  }

  /** Calls made more than once with the same input, retries of one call aside. */
  duplicates(): readonly DuplicateRequest[] {
    return [...this.#calls.values()].filter((call) => call.times > 1)
  }
}

/** Actions that change nothing, by AWS's naming; the STS calls change nothing either. */
export function isWrite(action: string): boolean {
  return !/^(Get|List|Describe|Simulate|Estimate|Receive|AssumeRole|Validate)/.test(action)
}
