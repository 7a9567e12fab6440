import type { Inputs } from '../../inputs/inputs.js'

/** How CRDs and permissions stand when the chart has gone back to the version that ran before. */
export function staysText(
  { crds: choice, stackName, controllerRoleName }: Pick<Inputs, 'crds' | 'stackName' | 'controllerRoleName'>,
  of: { readonly version: string; readonly running: string; readonly crdsGoAfter: boolean }
): string {
  const { version, running } = of
  if (version === running)
    return `CRDs, stack ${stackName} and role ${controllerRoleName} are those of ${version}.`
  const written =
    choice === 'leave'
      ? 'CRDs were left as they are.'
      : of.crdsGoAfter
        ? `CRDs are still those of ${running}.`
        : `CRDs are those of ${version}; ${running} works with them, and ${version} finds them ready.`
  return `${written}\nStack ${stackName} has the parts of ${version} and still those of ${running}, role ${controllerRoleName} the policies of both; what only ${running} needs goes after a rollout that works.`
}
