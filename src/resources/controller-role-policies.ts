import type { Aws } from '../aws/clients.js'
import { awsProblem, codeOf, isNotFound, liveOf, refuseUnreadable } from '../aws/errors.js'
import { iamArn } from '../aws/partition.js'
import { poll } from '../aws/poll.js'
import type { Difference } from '../engine/difference.js'
import { UserError } from '../engine/errors.js'
import { isMap } from '../engine/json.js'
import { resource, type AnyResource, type Removal, type Step } from '../engine/resource.js'

export interface ControllerRolePoliciesWanted {
  readonly clusterName: string
  readonly roleName: string
  /** ARNs of every managed policy of the stack. */
  readonly policyArns: readonly string[]
  /** ARNs of policies that other versions' stacks have and this one has not. */
  readonly retiredPolicyArns: readonly string[]
}

/** Managed policies of Karpenter's published templates, 1.0 to 1.14: one up to 1.8, five from 1.9, six from 1.12. */
const templatePolicies = [
  'KarpenterControllerPolicy',
  'KarpenterControllerNodeLifecyclePolicy',
  'KarpenterControllerIAMIntegrationPolicy',
  'KarpenterControllerEKSIntegrationPolicy',
  'KarpenterControllerInterruptionPolicy',
  'KarpenterControllerResourceDiscoveryPolicy',
  'KarpenterControllerZonalShiftPolicy'
]

export function retiredPolicyArns(
  account: Aws['account'],
  clusterName: string,
  policyArns: readonly string[]
): readonly string[] {
  return templatePolicies
    .map((name) => iamArn(account, `policy/${name}-${clusterName}`))
    .filter((arn) => !policyArns.includes(arn))
}

/**
 * Every policy of the stack on the controller role. On an upgrade the new ones are attached before the old ones go, so the
 * running controller is never without permissions. Policies that somebody else attached are left alone.
 */
export function controllerRolePolicies(
  wanted: ControllerRolePoliciesWanted,
  ports: { readonly aws: Aws; readonly dependsOn?: readonly string[] }
): AnyResource {
  const title = `Policies of ${wanted.roleName}`
  const RoleName = wanted.roleName

  async function attached(): Promise<readonly string[]> {
    const { paginateListAttachedRolePolicies } = await import('../aws/sdk/iam.js')
    const client = await ports.aws.iam()
    const arns: string[] = []
    for await (const page of paginateListAttachedRolePolicies({ client }, { RoleName })) {
      for (const policy of page.AttachedPolicies ?? []) arns.push(policy.PolicyArn ?? '')
    }
    return arns
  }

  async function attach(PolicyArn: string, step: Step): Promise<void> {
    const { AttachRolePolicyCommand } = await import('../aws/sdk/iam.js')
    const iam = await ports.aws.iam()
    await poll(
      step,
      {
        what: `${PolicyArn} to be visible to IAM`,
        timeoutMilliseconds: 120_000,
        firstPauseMilliseconds: 500,
        giveUp: () =>
          new UserError(
            title,
            `${PolicyArn} or the role does not exist`,
            'Check that the stack made the policy (a `template` of your own must keep the names), then run again.'
          )
      },
      async () => {
        try {
          await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }))
          return true
        } catch (error) {
          // New policies and roles take seconds to be seen; several writes to one role can collide.
          if (isNotFound(error) || codeOf(error) === 'ConcurrentModification') return undefined
          throw awsProblem(title, `${PolicyArn} could not be attached`, error)
        }
      }
    )
    step.changed(`attached ${nameOf(PolicyArn)} to ${wanted.roleName}`)
  }

  async function detach(PolicyArn: string, step: Step): Promise<void> {
    const { DetachRolePolicyCommand } = await import('../aws/sdk/iam.js')
    const iam = await ports.aws.iam()
    try {
      await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }))
      step.changed(`detached ${nameOf(PolicyArn)} from ${wanted.roleName}`)
    } catch (error) {
      if (!isNotFound(error)) throw awsProblem(title, `${PolicyArn} could not be detached`, error)
    }
  }

  return resource<ControllerRolePoliciesWanted, readonly string[]>(
    {
      id: 'controller-role-policies',
      layer: 'iam',
      title,
      dependsOn: ports.dependsOn ?? ['controller-role', 'stack'],
      wanted,
      read: async () => liveOf(title, attached),
      compare: differencesOf,
      absent: (want) => differencesOf(want, []),
      apply: async (live, _differences, step) => {
        refuseUnreadable(title, live)
        const before = live.state === 'present' ? live.value : []
        const lacking = wanted.policyArns.filter((arn) => !before.includes(arn))
        await Promise.all(lacking.map(async (arn) => attach(arn, step)))
        await poll(
          step,
          {
            what: `policies of ${wanted.roleName} to show`,
            timeoutMilliseconds: 120_000,
            firstPauseMilliseconds: 500,
            giveUp: () =>
              new UserError(title, 'policies were attached and do not show two minutes later', 'Run again.')
          },
          async () => {
            const now = await attached()
            return wanted.policyArns.every((arn) => now.includes(arn)) ? true : undefined
          }
        )
        for (const arn of before.filter((each) => wanted.retiredPolicyArns.includes(each))) {
          await detach(arn, step)
        }
        const foreign = before.filter(
          (arn) => !wanted.policyArns.includes(arn) && !wanted.retiredPolicyArns.includes(arn)
        )
        if (foreign.length > 0)
          step.note(`left alone: ${foreign.map(nameOf).join(', ')}, not of Karpenter's stack`)
      },
      remove: async (step): Promise<Removal> => {
        const live = await liveOf(title, attached)
        if (live.state === 'absent') return { outcome: 'absent' }
        refuseUnreadable(title, live)
        const ours = live.value.filter((arn) =>
          [...wanted.policyArns, ...wanted.retiredPolicyArns].includes(arn)
        )
        for (const arn of ours) await detach(arn, step)
        return ours.length > 0 ? { outcome: 'removed' } : { outcome: 'absent' }
      }
    },
    isWanted
  )
}

function differencesOf(wanted: ControllerRolePoliciesWanted, live: readonly string[]): readonly Difference[] {
  return [
    ...wanted.policyArns
      .filter((arn) => !live.includes(arn))
      .map((arn): Difference => ({
        path: `policies.${nameOf(arn)}`,
        wanted: arn,
        live: undefined,
        reason: `${nameOf(arn)} is not attached, so the controller lacks its permissions`,
        severity: 'breaks scaling'
      })),
    ...wanted.retiredPolicyArns
      .filter((arn) => live.includes(arn))
      .map((arn): Difference => ({
        path: `policies.${nameOf(arn)}`,
        wanted: undefined,
        live: arn,
        reason: `${nameOf(arn)} belongs to another version of Karpenter and is still attached`,
        severity: 'weakens security'
      }))
  ]
}

function nameOf(policyArn: string): string {
  return policyArn.slice(policyArn.lastIndexOf('/') + 1)
}

function isWanted(value: unknown): value is ControllerRolePoliciesWanted {
  return isMap(value) && Array.isArray(value['policyArns']) && Array.isArray(value['retiredPolicyArns'])
}
