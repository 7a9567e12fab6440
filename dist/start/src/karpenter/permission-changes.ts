import { type NamedPolicy, type PermissionChanges, policyChanges } from '../aws/policy/changes.js'
import { permissionsOf, type PolicyName } from './permissions.js'
import { inSpan } from './versions.js'

/** By the table of what Karpenter publishes, for an installation whose own policies are not known. */
export function permissionChanges(from: string, to: string): PermissionChanges {
  return policyChanges(publishedPolicies(from), publishedPolicies(to))
}

/** The policies of a version under the names that its template gives them, without the cluster. */
function publishedPolicies(version: string): readonly NamedPolicy[] {
  const split = inSpan(version, { from: '1.9.0' })
  const nameOf = (policy: PolicyName): string =>
    split ? `KarpenterController${policy}Policy` : 'KarpenterControllerPolicy'
  const rows = permissionsOf(version)
  return [...new Set(rows.map(({ policy }) => nameOf(policy)))].map((name) => ({
    name,
    document: {
      Version: '2012-10-17',
      Statement: rows.filter(({ policy }) => nameOf(policy) === name).map(({ statement }) => statement)
    }
  }))
}
