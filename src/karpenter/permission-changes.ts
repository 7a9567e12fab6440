import { permissionsOf } from './permissions.js'

/** What the controller may do after a change of version and could not before, and the other way round. */
export interface PermissionChanges {
  /** `ec2:DescribePlacementGroups`, or `ec2:RunInstances on arn:...` where the action itself is not new. */
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** For saying what an upgrade brings before it is made. Conditions are not compared. */
export function permissionChanges(from: string, to: string): PermissionChanges {
  const [before, after] = [grantsOf(from), grantsOf(to)]
  return { added: only(after, before), removed: only(before, after) }
}

/** Action to the resources it is allowed on. */
type Grants = ReadonlyMap<string, ReadonlySet<string>>

function grantsOf(version: string): Grants {
  const grants = new Map<string, Set<string>>()
  for (const { statement } of permissionsOf(version)) {
    for (const action of statement.Action) {
      const resources = grants.get(action) ?? new Set()
      for (const resource of statement.Resource) resources.add(resource)
      grants.set(action, resources)
    }
  }
  return grants
}

function only(one: Grants, other: Grants): readonly string[] {
  return [...one]
    .flatMap(([action, resources]) => {
      const theirs = other.get(action)
      if (theirs === undefined) return [action]
      return [...resources]
        .filter((resource) => !theirs.has(resource))
        .map((resource) => `${action} on ${resource}`)
    })
    .toSorted()
}
