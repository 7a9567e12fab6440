import type { AnyResource, Inspection } from '../../engine/resource.js'

/**
 * A role or policy of a stack that has a service role: the run's own role may not write it, and CloudFormation writes nothing
 * whose template is as it was. What differs of it is named, and left as it is; the stack itself makes it, changes it with
 * the template, and deletes it.
 */
export function leftToTheStack(part: AnyResource, stackName: string): AnyResource {
  const self: AnyResource = {
    ...part,
    inspect: async (signal) => {
      const inspection = await part.inspect(signal)
      return {
        ...inspection,
        resource: self,
        apply: async (step) => step.warning(leftText(inspection, stackName))
      }
    }
  }
  return self
}

function leftText({ resource, differences, state }: Inspection, stackName: string): string {
  const what = differences.map(({ reason }) => reason).join('; ')
  const gone = state === 'absent'
  return `${resource.title}: ${what}. It was left as it is: with \`stack-role-arn\` the roles and policies of stack ${stackName} are CloudFormation's, which ${gone ? 'does not see that it is gone' : 'does not see it edited'}. ${gone ? 'Make it again' : 'Put it back'} by hand, by a drift-aware change set of the stack (aws cloudformation create-change-set --deployment-mode REVERT_DRIFT), or by one run without \`stack-role-arn\` whose role has docs/permissions/install-iam-bounded.json.`
}
