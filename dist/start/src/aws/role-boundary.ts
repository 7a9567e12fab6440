import type { Step } from '../engine/resource.js'
import type { Difference } from '../engine/difference.js'
import type { Aws } from './clients.js'
import { isNotFound } from './errors.js'
import { whenIamFollows } from './iam-late.js'

/** `permissions-boundary: none`: no boundary at all, also where somebody else put one. */
export const noBoundary = 'none'

/**
 * What a role is to have: the ARN of a policy, `none`, or undefined, which leaves what is there. A boundary is most often an
 * organisation's guard-rail: it goes only when that is asked for.
 */
export type WantedBoundary = string | undefined

/** The boundary that a role is made with. */
export function boundaryArn(wanted: WantedBoundary): string | undefined {
  return wanted === noBoundary ? undefined : wanted
}

/** A boundary takes permissions away; the one that is wanted keeps the role from having more. */
export function boundaryDrift(wanted: WantedBoundary, live: string | undefined): readonly Difference[] {
  const arn = boundaryArn(wanted)
  if (wanted === undefined || arn === live) return []
  return [
    {
      path: 'permissionsBoundary',
      wanted: arn,
      live,
      reason:
        arn === undefined
          ? `the role has the permissions boundary ${live ?? ''}, and \`permissions-boundary: none\` asks for none`
          : `the role has ${live === undefined ? 'no permissions boundary' : `the permissions boundary ${live}`} instead of ${arn}`,
      severity: arn === undefined ? 'breaks scaling' : 'weakens security'
    }
  ]
}

/** A boundary that nothing asks for, and that stays. */
export function boundaryNote(wanted: WantedBoundary, live: string | undefined): readonly string[] {
  return wanted === undefined && live !== undefined
    ? [
        `the permissions boundary ${live}, which nothing asks for, stays (\`permissions-boundary: none\` takes it off)`
      ]
    : []
}

/** Sets or takes off the boundary of a role, where that is wanted. */
export async function putBoundary(
  aws: Aws,
  role: { readonly name: string; readonly wanted: WantedBoundary; readonly live: string | undefined },
  step: Step
): Promise<void> {
  const { name: RoleName, live } = role
  const arn = boundaryArn(role.wanted)
  if (role.wanted === undefined || arn === live) return
  const sdk = await import('./sdk/iam.js')
  const iam = await aws.iam()
  if (arn === undefined) {
    await whenIamFollows({ title: `IAM role ${RoleName}`, name: RoleName, removal: true }, step, async () =>
      iam.send(new sdk.DeleteRolePermissionsBoundaryCommand({ RoleName }))
    ).catch((error: unknown) => {
      // Another hand, or an earlier try of ours, took it off.
      if (!isNotFound(error)) throw error
    })
    step.changed(`took the permissions boundary ${live ?? ''} off ${RoleName}`)
  } else {
    await whenIamFollows({ title: `IAM role ${RoleName}`, name: RoleName }, step, async () =>
      iam.send(new sdk.PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: arn }))
    )
    step.changed(`set the permissions boundary of ${RoleName} to ${arn}`)
  }
}
