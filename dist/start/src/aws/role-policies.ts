import { UserError } from '../engine/errors.js'
import type { Step } from '../engine/resource.js'
import { iamQuotas } from './quotas.js'
import type { Aws } from './clients.js'
import { awsProblem, codeOf, isNotFound, wasRepeated } from './errors.js'
import { whenIamFollows } from './iam-late.js'
import { poll } from './poll.js'

/** Changes the policies of one role, one line a change. `title` is the resource that errors begin with. */
export interface RolePolicies {
  /** Waits for a policy or a role that IAM does not show yet. `missing`: what to do when it never does. */
  attach(policyArn: string, missing: string, step: Step): Promise<void>
  detach(policyArn: string, step: Step): Promise<void>
  /** Attaches before it detaches, so that whoever has the role lacks nothing; the other way round where ten are too few. */
  exchange(change: Exchange, missing: string, step: Step): Promise<void>
  putInline(name: string, document: string, step: Step): Promise<void>
  /** Keeps the text first. */
  deleteInline(name: string, document: string, step: Step): Promise<void>
}

/** ARNs. */
export interface Exchange {
  /** All that are on the role now. */
  readonly attached: readonly string[]
  readonly attach: readonly string[]
  readonly detach: readonly string[]
}

export function rolePolicies(
  aws: Aws,
  own: { readonly roleName: string; readonly title: string },
  keep: (name: string, text: string) => void
): RolePolicies {
  const { roleName: RoleName, title } = own

  /** What is gone already needs no removal; whether this run removed it. */
  async function unlessGone(what: string, remove: () => Promise<unknown>): Promise<boolean> {
    try {
      await remove()
      return true
    } catch (error) {
      if (isNotFound(error)) return wasRepeated(error)
      throw awsProblem(title, what, error)
    }
  }

  const self: RolePolicies = {
    attach: async (PolicyArn, missing, step) => {
      const { AttachRolePolicyCommand } = await import('./sdk/iam.js')
      const iam = await aws.iam()
      await poll(
        step,
        {
          what: `${PolicyArn} to be visible to IAM`,
          timeoutMilliseconds: 120_000,
          firstPauseMilliseconds: 500,
          giveUp: () => new UserError(title, `${PolicyArn} or the role does not exist`, missing)
        },
        async () => {
          try {
            await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }))
            return true
          } catch (error) {
            // New policies and roles take seconds to be seen; several writes to one role can collide.
            if (isNotFound(error) || codeOf(error) === 'ConcurrentModification') return undefined
            throw awsProblem(title, `${PolicyArn} could not be attached`, error, tooMany(error))
          }
        }
      )
      step.changed(`attached ${policyName(PolicyArn)} to ${RoleName}`)
    },
    detach: async (PolicyArn, step) => {
      const { DetachRolePolicyCommand } = await import('./sdk/iam.js')
      const iam = await aws.iam()
      const detached = await unlessGone(`${PolicyArn} could not be detached`, async () =>
        whenIamFollows({ title, name: RoleName, removal: true }, step, async () =>
          iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }))
        )
      )
      if (detached) step.changed(`detached ${policyName(PolicyArn)} from ${RoleName}`)
    },
    exchange: async ({ attached, attach, detach }, missing, step) => {
      const hasRoom = attached.length + attach.length <= iamQuotas.policiesOfRole
      const detachAll = async (): Promise<void> => {
        for (const arn of detach) await self.detach(arn, step)
      }
      if (!hasRoom) await detachAll()
      await Promise.all(attach.map(async (arn) => self.attach(arn, missing, step)))
      if (hasRoom) await detachAll()
    },
    putInline: async (PolicyName, PolicyDocument, step) => {
      const { PutRolePolicyCommand } = await import('./sdk/iam.js')
      const iam = await aws.iam()
      await whenIamFollows({ title, name: RoleName }, step, async () =>
        iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }))
      ).catch((error: unknown) => {
        throw awsProblem(title, `inline policy ${PolicyName} could not be written`, error)
      })
      step.changed(`wrote inline policy ${PolicyName} of ${RoleName}`)
    },
    deleteInline: async (PolicyName, document, step) => {
      keep(`inline policy ${PolicyName} of role ${RoleName}`, document)
      const { DeleteRolePolicyCommand } = await import('./sdk/iam.js')
      const iam = await aws.iam()
      const deleted = await unlessGone(`inline policy ${PolicyName} could not be deleted`, async () =>
        whenIamFollows({ title, name: RoleName, removal: true }, step, async () =>
          iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }))
        )
      )
      if (deleted)
        step.changed(`deleted inline policy ${PolicyName} of ${RoleName}; its text is in the report`)
    }
  }
  return self
}

function tooMany(error: unknown): string | undefined {
  return codeOf(error) === 'LimitExceeded'
    ? 'Detach policies that the role does not need, or ask AWS for a higher quota (managed policies per role), then run again.'
    : undefined
}

/** The last part of its ARN. */
export function policyName(policyArn: string): string {
  return policyArn.slice(policyArn.lastIndexOf('/') + 1)
}
