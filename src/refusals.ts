import { everyStatement } from './aws/errors.js'
import { UserError } from './engine/errors.js'
import type { Inspection } from './engine/resource.js'

/** Throws for every resource that cannot be made as wanted and says so before the first write. */
export function throwRefusals(inspections: ReadonlyMap<string, Inspection>): void {
  const refusals = [...inspections.values()].flatMap((inspection) => refusalOf(inspection) ?? [])
  const [first, ...others] = refusals
  if (first === undefined) return
  if (others.length === 0) throw first
  throw new AggregateError(refusals, `${refusals.length} resources are refused`)
}

function refusalOf({ resource, refusal, unreadable }: Inspection): UserError | undefined {
  if (unreadable === undefined) return refusal
  const permission = unreadable.missingPermission ?? 'the permission'
  return new UserError(
    resource.title,
    `could not be read: ${unreadable.reason}`,
    ['kubernetes', 'helm', 'karpenter'].includes(resource.layer)
      ? `Let the caller ${permission}: it needs cluster-admin for the run.`
      : `Add ${permission} to the role's policy; ${everyStatement}`
  )
}
