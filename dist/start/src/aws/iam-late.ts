import { messageOf, UserError } from '../engine/errors.js'
import type { Step } from '../engine/resource.js'
import type { Aws } from './clients.js'
import { codeOf, isNotFound, wasRepeated } from './errors.js'
import { poll } from './poll.js'

/**
 * IAM is late in both directions, and longest told of two minutes (hashicorp/terraform#3222, terraform-provider-aws#40059):
 * what was just made is not there yet for the next call (NoSuchEntity), what was just taken off still hangs on
 * (DeleteConflict), and writes to one thing collide (ConcurrentModification). Calls again while that is so; any other error
 * is thrown as it is. `name` is of what is written: that something else is missing does not pass.
 */
export async function whenIamFollows<T>(
  of: {
    readonly title: string
    readonly name: string
    /** That nothing of the name is there is what is wanted, or what there is to begin with. */
    readonly removal?: true
    readonly creation?: true
    /** What used up a quota was taken away just now. */
    readonly madeRoom?: true
  },
  step: Step,
  write: () => Promise<T>
): Promise<T> {
  const last: { error: unknown } = { error: undefined }
  const { done } = await poll(
    step,
    {
      what: () => `IAM to follow what was done to ${of.name}: ${messageOf(last.error)}`,
      timeoutMilliseconds: 120_000,
      firstPauseMilliseconds: 500,
      giveUp: () =>
        new UserError(
          of.title,
          `IAM says so for two minutes: ${messageOf(last.error)}`,
          'Take off by hand what the message names, if it is there, and run again.',
          { cause: last.error }
        )
    },
    async () => {
      try {
        return { done: await write() }
      } catch (error) {
        if (!isLate(error, of)) throw error
        last.error = error
        return undefined
      }
    }
  )
  return done
}

function isLate(
  error: unknown,
  { name, removal, creation, madeRoom }: Parameters<typeof whenIamFollows>[0]
): boolean {
  const code = codeOf(error) ?? ''
  return (
    /^(DeleteConflict|ConcurrentModification)$/.test(code) ||
    (madeRoom === true && code === 'LimitExceeded' && !wasRepeated(error)) ||
    (removal !== true && creation !== true && isNotFound(error) && messageOf(error).includes(name))
  )
}

/** Takes a role out of an instance profile and deletes it; what is gone already is no error. */
export async function deleteInstanceProfile(
  aws: Aws,
  profile: { readonly name: string; readonly roles: readonly string[] },
  step: Step
): Promise<void> {
  const sdk = await import('./sdk/iam.js')
  const iam = await aws.iam()
  const InstanceProfileName = profile.name
  const unlessGone = async (taken: Promise<unknown>): Promise<void> => {
    await taken.catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }
  // IAM deletes no profile that still holds a role.
  for (const RoleName of profile.roles) {
    await unlessGone(
      iam.send(new sdk.RemoveRoleFromInstanceProfileCommand({ InstanceProfileName, RoleName }))
    )
  }
  await whenIamFollows(
    { title: `Instance profile ${profile.name}`, name: profile.name, removal: true },
    step,
    async () => unlessGone(iam.send(new sdk.DeleteInstanceProfileCommand({ InstanceProfileName })))
  )
}
