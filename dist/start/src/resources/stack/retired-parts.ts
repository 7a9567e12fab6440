import type { Aws } from '../../aws/clients.js'
import { awsProblem, isNotFound, liveOf } from '../../aws/errors.js'
import { attachedPolicies } from '../../aws/iam-role.js'
import { poll, untilShown } from '../../aws/poll.js'
import { policyName, rolePolicies } from '../../aws/role-policies.js'
import { notDeleted } from '../../aws/stack-events.js'
import { type LiveStack, physicalIds, untilIdle, whenIdle } from '../../aws/stack-operation.js'
import { situationOf } from '../../aws/stack-status.js'
import type { Difference } from '../../engine/difference.js'
import { isMap, mapAt } from '../../engine/json.js'
import { resource, type AnyResource, type Step } from '../../engine/resource.js'
import type { Ownership } from '../../aws/environment.js'
import { templateDifferences } from '../../karpenter/template-differences.js'
import { parseTemplate } from '../../karpenter/template-syntax.js'
import { changeStack } from './stack-change.js'
import type { StackWanted } from './stack-differences.js'
import type { Widen } from './stack.js'
import { idOf } from '../ids.js'

export interface RetiredPartsWanted {
  readonly roleName: string
  /** ARNs of the policies that other versions' stacks have, and that are not to be on the controller's role. */
  readonly policyArns: readonly string[]
  /** That the stack is to have, and nothing besides. */
  readonly template: string
}

interface RetiredPartsLive {
  /** ARNs of the policies on the controller's role. */
  readonly attached: readonly string[]
  readonly stack: LiveStack | undefined
}

interface Ports {
  readonly aws: Aws
  readonly ownership: Ownership
  /** Service role by which CloudFormation acts. */
  readonly roleArn?: string | undefined
  readonly stack: StackWanted
  readonly widen: Widen
  /** Both shared with the resources whose they are. */
  readonly attached: () => Promise<readonly string[]>
  readonly liveStack: () => Promise<LiveStack | undefined>
  readonly dependsOn: readonly string[]
}

/**
 * What a stack of another version has left: policies on the controller's role, and in the stack all that the wanted
 * template has not. The old controller needs them until the new one has rolled out, so they go after that, and stay where
 * it did not.
 */
export function retiredParts(wanted: RetiredPartsWanted, ports: Ports): AnyResource {
  const title = `Retired parts of stack ${ports.stack.name}`
  const { aws, widen } = ports
  const { roleName } = wanted
  const policies = rolePolicies(aws, { roleName, title }, () => undefined)

  function differencesOf(want: RetiredPartsWanted, live: RetiredPartsLive): readonly Difference[] {
    return [
      ...live.attached
        .filter((arn) => want.policyArns.includes(arn))
        .map((arn): Difference => ({
          path: `policies.${policyName(arn)}`,
          wanted: undefined,
          live: arn,
          reason: `${policyName(arn)} belongs to another version of Karpenter and is still attached`,
          severity: 'weakens security'
        })),
      ...partsBesides(want.template, live.stack).map((part) => partDifference(want.template, part))
    ]
  }

  /** What the stack has, or is going to keep at first, and is not to have. */
  function partsBesides(template: string, live: LiveStack | undefined): readonly string[] {
    if (live === undefined || situationOf(live.status) !== 'good') return []
    return templateDifferences(template, widen(template, live).text)
  }

  async function detach(step: Step): Promise<void> {
    const retired = (all: readonly string[]): readonly string[] =>
      all.filter((arn) => wanted.policyArns.includes(arn))
    const before = retired(await attachedPolicies(aws, roleName))
    if (before.length === 0) return
    const ids = new Set((await physicalIds(aws, ports.stack.name)).values())
    for (const arn of before) {
      await policies.detach(arn, step)
      if (ids.has(arn)) continue
      step.note(
        `${policyName(arn)} is no part of stack ${ports.stack.name}, so it stays: aws iam delete-policy --policy-arn ${arn}`
      )
    }
    // CloudFormation does not delete what still seems attached, and leaves it where it is.
    await poll(
      step,
      untilShown(
        `policies of ${roleName} to be off`,
        title,
        'policies were detached and still show two minutes later'
      ),
      async () => (retired(await attachedPolicies(aws, roleName)).length === 0 ? true : undefined)
    )
  }

  async function narrow(step: Step): Promise<void> {
    const live = await whenIdle(aws, ports.stack.name, step)
    if (partsBesides(wanted.template, live).length === 0) return
    const goal = { template: () => wanted.template, parts: [] }
    const id = await changeStack(ports.stack, ports, goal, step)
    if (id === undefined) return
    await untilIdle(aws, { id, name: ports.stack.name }, step)
    for (const { physicalId, logicalId, reason } of await notDeleted(aws, id)) {
      step.warning(
        `${physicalId ?? logicalId} of another version could not be deleted, stays, and is no longer part of stack ${ports.stack.name}: ${reason}`
      )
    }
  }

  return resource<RetiredPartsWanted, RetiredPartsLive>(
    {
      id: idOf.retiredParts,
      layer: 'cloudformation',
      title,
      dependsOn: ports.dependsOn,
      wanted,
      read: async () =>
        liveOf(title, async () => {
          const [attached, stack] = await Promise.all([
            ports.attached().catch((error: unknown) => {
              if (isNotFound(error)) return []
              throw error
            }),
            ports.liveStack()
          ])
          return { attached, stack }
        }),
      compare: differencesOf,
      absent: () => [],
      apply: async (_live, _differences, step) => {
        try {
          await detach(step)
          await narrow(step)
        } catch (error) {
          throw awsProblem(title, 'could not be taken away', error)
        }
      },
      sign: { by: 'whole', whole: idOf.stack },
      present: ({ attached, stack }) => [
        ...attached.filter((arn) => wanted.policyArns.includes(arn)).map(policyName),
        ...partsBesides(wanted.template, stack)
      ],
      // Whoever takes away the stack and what is on the role has taken these away.
      remove: async () => ({ outcome: 'absent' })
    },
    // A record of another role is of another thing than the one that is read.
    (value): value is RetiredPartsWanted =>
      isMap(value) &&
      value['roleName'] === wanted.roleName &&
      Array.isArray(value['policyArns']) &&
      typeof value['template'] === 'string'
  )
}

function partDifference(template: string, part: string): Difference {
  const stays = part in mapAt(parseTemplate(template).body, 'Resources')
  return {
    path: `template.${part}`,
    wanted: stays ? 'as in the template' : undefined,
    live: stays ? 'more than that' : 'there',
    reason: stays
      ? `${part} has in the stack what it had for another version, besides`
      : `${part} belongs to another version of Karpenter, or another template, and is still in the stack`,
    severity: 'weakens security'
  }
}
