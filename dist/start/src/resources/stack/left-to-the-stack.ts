import type { AnyResource, Inspection } from '../../engine/resource.js'

/**
 * A role or policy of a stack that has a service role: the run's own role may not write it, and CloudFormation writes nothing
 * whose template is as it was. What differs of it is named, and left as it is; the stack itself makes it, changes it with
 * the template, and deletes it.
 */
export function leftToTheStack(part: AnyResource, stackName: string): AnyResource {
  const self: AnyResource = {
    ...part,
    inspect: async (signal) => left(await part.inspect(signal))
  }
  return self

  function left(inspection: Inspection, isLeft?: (path: string) => boolean): Inspection {
    return {
      ...inspection,
      resource: self,
      leaving: (paths) => left(inspection.leaving(paths), paths),
      apply: async (step) => {
        // The stack, which came first, may have done all of it.
        const now = await part.inspect(step.signal)
        const still = isLeft === undefined ? now : now.leaving(isLeft)
        if (still.state === 'unreadable') return still.apply(step)
        if (still.differences.length > 0) step.warning(leftText(still, stackName))
      }
    }
  }
}

/** What makes a role or policy of the stack again, or puts it back. */
export function byHand(verb: 'Make it again' | 'Put it back', stackName: string): string {
  return `${verb} by hand, by a drift-aware change set of the stack (aws cloudformation create-change-set --stack-name ${stackName} --deployment-mode REVERT_DRIFT), or by one run without \`stack-role-arn\` whose role has docs/permissions/install-iam-bounded.json.`
}

function leftText({ resource, differences, state }: Inspection, stackName: string): string {
  const what = differences.map(({ reason }) => reason).join('; ')
  const gone = state === 'absent'
  return `${resource.title}: ${what}. It was left as it is: with \`stack-role-arn\` the roles and policies of stack ${stackName} are CloudFormation's, which ${gone ? 'does not see that it is gone' : 'does not see it edited'}. ${byHand(gone ? 'Make it again' : 'Put it back', stackName)}`
}
