import { awsProblem, liveOf, uninstallPolicy } from '../../aws/errors.js'
import { tooLong } from '../../aws/template-size.js'
import { deleteStack, readStack, whenIdle, type LiveStack } from '../../aws/stack-operation.js'
import { missing } from '../../engine/difference.js'
import { isMap } from '../../engine/json.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'
import type { WidenedTemplate } from '../../karpenter/widened-template.js'
import { ownerOfStack } from '../../adoption/owners/tag-owner.js'
import { changeStack, deletion, type StackPart, type StackPorts } from './stack-change.js'
import { stackDifferences, type StackWanted } from './stack-differences.js'
import { idOf } from '../ids.js'

/** The target's template with what the live stack has besides. */
export type Widen = (target: string, live: LiveStack) => WidenedTemplate

interface Ports extends StackPorts {
  readonly dependsOn?: readonly string[]
  readonly parts?: readonly StackPart[]
  /** What is there, for a comparison; shared with whoever needs it too. */
  readonly live?: () => Promise<LiveStack | undefined>
  /** The template for as long as an older controller may still run; the given one itself when absent. */
  readonly widen?: Widen
}

/**
 * The CloudFormation stack of nodes' role, controller's policies, queue and rules. It gets all that is wanted and loses
 * nothing: what it has besides is needed while the old controller runs, and goes with the retired parts.
 */
export function stack(wanted: StackWanted, ports: Ports): AnyResource {
  const title = `CloudFormation stack ${wanted.name}`
  const { aws } = ports
  const live = ports.live ?? (async () => readStack(aws, wanted.name))
  const widen: Widen = ports.widen ?? ((text) => ({ text, narrowed: [] }))

  function widened(found: LiveStack, step: Step): string {
    const { text, narrowed } = widen(wanted.template, found)
    for (const name of narrowed) {
      step.note(
        `${name} has no room (IAM's quota) for all that the running version may do besides: it loses some of that now`
      )
    }
    return text
  }

  return resource<StackWanted, LiveStack>(
    {
      id: idOf.stack,
      layer: 'cloudformation',
      title,
      dependsOn: ports.dependsOn ?? [],
      wanted,
      read: async () => liveOf(title, live),
      compare: (want, found) => stackDifferences(want, widen(want.template, found).text, found),
      absent: (want) => [missing(`CloudFormation stack ${want.name}`, want.name)],
      refusal: (found) =>
        stackDifferences(wanted, wanted.template, found).length === 0
          ? undefined
          : tooLong(widen(wanted.template, found).text, ` with what stack ${wanted.name} has besides`),
      apply: async (before, _differences, step) => {
        const isAbsent = before.state === 'absent'
        try {
          await changeStack(wanted, ports, { isAbsent, template: widened, parts: ports.parts ?? [] }, step)
        } catch (error) {
          throw awsProblem(title, 'could not be changed', error)
        }
      },
      sign: { by: 'mark', mark: ({ tags }) => ownerOfStack({ tags, name: wanted.name }, wanted.clusterName) },
      remove: async (_live, step): Promise<Removal> => {
        try {
          const found = await whenIdle(aws, wanted.name, step)
          if (found === undefined) return { outcome: 'absent' }
          await deleteStack(aws, deletion(wanted.name, found, ports.roleArn), uninstallPolicy, step)
        } catch (error) {
          step.signal.throwIfAborted()
          throw awsProblem(title, 'could not be deleted', error)
        }
        step.changed(`deleted CloudFormation stack ${wanted.name}`)
        return { outcome: 'removed' }
      }
    },
    // A record of another name is of another thing than the one that is read.
    (value): value is StackWanted => isWanted(value) && value.name === wanted.name
  )
}

function isWanted(value: unknown): value is StackWanted {
  return (
    isMap(value) &&
    typeof value['template'] === 'string' &&
    isMap(value['parameters']) &&
    isMap(value['tags']) &&
    typeof value['clusterName'] === 'string'
  )
}
