import type { Aws } from '../../aws/clients.js'
import { awsProblem, isNotFound, liveOf } from '../../aws/errors.js'
import { attachedPolicies, readRoleWithPolicies, type RoleWithPolicies } from '../../aws/iam-role.js'
import { isOurs } from '../../aws/ownership-tags.js'
import { iamArn } from '../../aws/partition.js'
import { poll, untilShown } from '../../aws/poll.js'
import { policyName, rolePolicies } from '../../aws/role-policies.js'
import type { Difference } from '../../engine/difference.js'
import { isMap } from '../../engine/json.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'
import { furtherInlinePolicy, furtherPolicy, missingPolicy } from '../stack/role-drift.js'
import { idOf } from '../ids.js'

export interface ControllerRolePoliciesWanted {
  readonly clusterName: string
  readonly roleName: string
  /** ARNs of every managed policy of the stack. */
  readonly policyArns: readonly string[]
  /** ARNs of policies that other versions' stacks have and this one has not. */
  readonly retiredPolicyArns: readonly string[]
  /** ARNs that the user wants on the role besides. */
  readonly furtherPolicyArns?: readonly string[]
}

interface Ports {
  readonly aws: Aws
  /** The role and what is on it, for a comparison; shared with whoever needs it too. */
  readonly role?: () => Promise<RoleWithPolicies>
  /** Keeps a text in the report before it is deleted. */
  readonly keep: (name: string, text: string) => void
  readonly dependsOn?: readonly string[]
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
 * Every policy of the stack on the controller role, and those that the user names. Those of other versions stay, because
 * an older controller may still run: they go with the retired parts. Others are taken off a role that is ours, inline ones
 * too; a role that is not ours keeps what it has.
 */
export function controllerRolePolicies(wanted: ControllerRolePoliciesWanted, ports: Ports): AnyResource {
  const title = `Policies of ${wanted.roleName}`
  const { aws } = ports
  const { roleName } = wanted
  const policies = rolePolicies(aws, { roleName, title }, ports.keep)
  const theStackMakesIt =
    'Check that the stack made the policy (a `template` of your own must keep the names), then run again.'

  let attached = false

  async function repair(live: RoleWithPolicies | undefined, step: Step): Promise<void> {
    const before = live?.attached ?? []
    const further = live === undefined ? [] : furtherOf(wanted, live)
    const ours = live !== undefined && isOurs(live.role.tags, wanted.clusterName)
    const lacking = allOf(wanted).filter((arn) => !before.includes(arn))
    await policies.exchange(
      { attached: before, attach: lacking, detach: ours ? further : [] },
      theStackMakesIt,
      step
    )
    attached = lacking.length > 0
    if (ours) {
      for (const [name, document] of Object.entries(live.inline)) {
        await policies.deleteInline(name, document, step)
      }
    } else if (further.length > 0) {
      step.note(`left alone: ${further.map(policyName).join(', ')}, not of Karpenter's stack`)
    }
  }

  async function untilAttached(step: Step): Promise<void> {
    await poll(
      step,
      untilShown(
        `policies of ${roleName} to show`,
        title,
        'policies were attached and do not show two minutes later'
      ),
      async () => {
        const now = await attachedPolicies(aws, roleName).catch((error: unknown): readonly string[] => {
          // A read may miss the role that was just made.
          if (isNotFound(error)) return []
          throw error
        })
        return allOf(wanted).every((arn) => now.includes(arn)) ? true : undefined
      }
    )
  }

  return resource<ControllerRolePoliciesWanted, RoleWithPolicies>(
    {
      id: idOf.controllerRolePolicies,
      layer: 'iam',
      title,
      dependsOn: ports.dependsOn ?? [idOf.controllerRole, idOf.stack],
      wanted,
      read: async () => liveOf(title, ports.role ?? (async () => readRoleWithPolicies(aws, roleName))),
      compare: differencesOf,
      absent: (want) => allOf(want).map((arn) => missingPolicy(arn, lacks)),
      apply: async (live, _differences, step) => {
        try {
          await repair(live.state === 'present' ? live.value : undefined, step)
        } catch (error) {
          throw awsProblem(title, 'could not be put right', error)
        }
      },
      settle: async (step) => {
        if (attached) await untilAttached(step)
      },
      // An attachment bears no mark; the stack cannot delete a policy that is attached.
      sign: { by: 'record', goesWith: idOf.stack },
      present: (live) => ofTheStack(wanted, live.attached).map(policyName),
      /** What the user asked for besides may have been on the role before us: on one that is not ours it stays. */
      remove: async (live, step, names): Promise<Removal> => {
        const going = ofTheStack(wanted, live.attached).filter((arn) => names.includes(policyName(arn)))
        for (const arn of going) await policies.detach(arn, step)
        return { outcome: 'removed' }
      }
    },
    // A record of another name is of another thing than the one that is read.
    (value): value is ControllerRolePoliciesWanted => isWanted(value) && value.roleName === wanted.roleName
  )
}

const lacks = 'the controller lacks'

function differencesOf(wanted: ControllerRolePoliciesWanted, live: RoleWithPolicies): readonly Difference[] {
  const lacking = allOf(wanted).filter((arn) => !live.attached.includes(arn))
  return [
    ...lacking.map((arn) => missingPolicy(arn, lacks)),
    ...(isOurs(live.role.tags, wanted.clusterName)
      ? [
          ...furtherOf(wanted, live).map((arn) => furtherPolicy(arn, 'controller-role-policies')),
          ...Object.entries(live.inline).map(([name, document]) => furtherInlinePolicy(name, document))
        ]
      : [])
  ]
}

function allOf({ policyArns, furtherPolicyArns = [] }: ControllerRolePoliciesWanted): readonly string[] {
  return [...new Set([...policyArns, ...furtherPolicyArns])]
}

/** Of other versions' stacks, unless the user asks for them by name. */
function retired(wanted: ControllerRolePoliciesWanted): readonly string[] {
  return wanted.retiredPolicyArns.filter((arn) => !allOf(wanted).includes(arn))
}

function ofTheStack(wanted: ControllerRolePoliciesWanted, attached: readonly string[]): readonly string[] {
  return attached.filter((arn) => [...wanted.policyArns, ...retired(wanted)].includes(arn))
}

/** What neither a stack nor the user put there. */
function furtherOf(wanted: ControllerRolePoliciesWanted, live: RoleWithPolicies): readonly string[] {
  return live.attached.filter((arn) => ![...allOf(wanted), ...wanted.retiredPolicyArns].includes(arn))
}

function isWanted(value: unknown): value is ControllerRolePoliciesWanted {
  return isMap(value) && Array.isArray(value['policyArns']) && Array.isArray(value['retiredPolicyArns'])
}
