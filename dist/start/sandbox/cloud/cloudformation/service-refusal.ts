import type { AwsError } from '../service.js'

/** A service's refusal, with the service's name as handlers print it. */
export class ServiceRefusal extends Error {
  readonly service: string
  readonly code: string
  readonly status: number
  constructor(service: string, error: AwsError) {
    super(error.message)
    this.service = service
    this.code = error.code
    this.status = error.status
  }

  get missing(): boolean {
    return /^NoSuchEntity|NonExistentQueue$|^QueueDoesNotExist$|^ResourceNotFoundException$/.test(this.code)
  }
}
