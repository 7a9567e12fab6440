import { messageOf } from '../engine/errors.js'
import type { Step } from '../engine/resource.js'
import { awsProblem, codeOf, isAlreadyExists, wasRepeated } from './errors.js'
import { poll } from './poll.js'

export interface EksCreation {
  /** The resource that errors begin with. */
  readonly title: string
  /** What is made, for the log: `the access entry`. */
  readonly what: string
  create(): Promise<unknown>
  isThere(): Promise<boolean>
  /** An error that passes once EKS sees what IAM has just made; tried for two minutes. */
  readonly late?: {
    /** `EKS to see role arn:...` */
    readonly what: string
    readonly passes: (error: unknown) => boolean
    readonly givenUp: (error: unknown) => Error
  }
}

/** The same is said by other codes: "... cannot be updated as it is currently in CREATING state". */
function isBusy(error: unknown): boolean {
  return codeOf(error) === 'InvalidRequest' && /\bcurrently\b|\bin progress\b/i.test(messageOf(error))
}

/**
 * Creates something of EKS: `created` by this run, or `there` already. A ResourceInUseException is said of what exists, and
 * of a cluster that "currently has update ... in progress" or is "currently in CREATING state" as well
 * (aws-controllers-k8s/community#1192, eksctl-io/eksctl#8091). So after it one looks, and creates again while nothing is there.
 */
export async function createAtEks(creation: EksCreation, step: Step): Promise<'created' | 'there'> {
  const { title, what, late } = creation
  const startedAt = step.now()
  const last: { error: unknown } = { error: undefined }
  return poll(
    step,
    {
      what: () => (late?.passes(last.error) === true ? late.what : `${what}: ${messageOf(last.error)}`),
      timeoutMilliseconds: 600_000,
      giveUp: () =>
        awsProblem(
          title,
          'could not be created in ten minutes',
          last.error,
          'Run again when what AWS says is in the way has ended.'
        )
    },
    async () => {
      try {
        await creation.create()
        return 'created'
      } catch (error) {
        last.error = error
        if (isAlreadyExists(error) || isBusy(error)) {
          if (!(await creation.isThere())) return undefined
          // An earlier try of ours was carried out, and its answer was lost.
          return wasRepeated(error) ? 'created' : 'there'
        }
        if (late?.passes(error) !== true) throw awsProblem(title, 'could not be created', error)
        if (step.now() - startedAt < 120_000) return undefined
        throw late.givenUp(error)
      }
    }
  )
}
