import { policyDifferences } from '../aws/policy-document.js'
import { isMap, type JsonMap } from '../engine/json.js'
import { permissionsOf, type PolicyName } from './permissions.js'
import { inSpan } from './versions.js'

/** A policy of the controller, by its name; `document` as IAM takes it, or with CloudFormation's placeholders in it. */
export interface NamedPolicy {
  readonly name: string
  readonly document: unknown
}

/** One statement that an upgrade adds, takes away or changes. */
export interface StatementChange {
  /** Of the policy that has it afterwards, or that had it. */
  readonly policy: string
  /** Sid, or what it says where it has none. */
  readonly statement: string
  readonly change: 'added' | 'removed' | 'changed'
  /** What only the new version says, one line a value: `Action: ec2:DescribePlacementGroups`. */
  readonly gains: readonly string[]
  /** What only the old version says. */
  readonly loses: readonly string[]
}

/** What the controller may do after a change of version and could not before, and the other way round. */
export interface PermissionChanges {
  /** `ec2:DescribePlacementGroups`, or `ec2:RunInstances on arn:...` where the action itself is not new. */
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly statements: readonly StatementChange[]
  /** Names of policies that come and go; what they say may have moved unchanged. */
  readonly policies: { readonly added: readonly string[]; readonly removed: readonly string[] }
}

/** By the table of what Karpenter publishes, for an installation whose own policies are not known. */
export function permissionChanges(from: string, to: string): PermissionChanges {
  return policyChanges(publishedPolicies(from), publishedPolicies(to))
}

/** The policies of a version under the names that its template gives them, without the cluster. */
export function publishedPolicies(version: string): readonly NamedPolicy[] {
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

/** Statement by statement, whichever policy has it: 1.9 split one into five, and took nothing from what they allow. */
export function policyChanges(
  before: readonly NamedPolicy[],
  after: readonly NamedPolicy[]
): PermissionChanges {
  const [had, has] = [grantsOf(before), grantsOf(after)]
  const statements = policyDifferences(joined(after), joined(before)).map(
    ({ statement, change, wanted, live }): StatementChange => ({
      policy: policyWith(statement, change === 'added' ? before : after),
      statement,
      // policyDifferences calls added what only the second document has, which is the old one here.
      change: change === 'added' ? 'removed' : change === 'removed' ? 'added' : 'changed',
      gains: wanted,
      loses: live
    })
  )
  return {
    added: only(has, had),
    removed: only(had, has),
    statements,
    policies: { added: namesOnlyIn(after, before), removed: namesOnlyIn(before, after) }
  }
}

function namesOnlyIn(one: readonly NamedPolicy[], other: readonly NamedPolicy[]): readonly string[] {
  return one.map(({ name }) => name).filter((name) => !other.some((theirs) => theirs.name === name))
}

function joined(policies: readonly NamedPolicy[]): unknown {
  return { Version: '2012-10-17', Statement: policies.flatMap(statementsOf) }
}

function policyWith(sid: string, policies: readonly NamedPolicy[]): string {
  return (
    policies.find((policy) => statementsOf(policy).some((statement) => statement['Sid'] === sid))?.name ?? ''
  )
}

/** Action to the resources it is allowed on. Conditions are not compared: the statements are. */
type Grants = ReadonlyMap<string, ReadonlySet<string>>

function grantsOf(policies: readonly NamedPolicy[]): Grants {
  const grants = new Map<string, Set<string>>()
  for (const statement of policies.flatMap(statementsOf)) {
    if (statement['Effect'] !== 'Allow') continue
    for (const action of texts(statement['Action'])) {
      const resources = grants.get(action) ?? new Set()
      for (const resource of texts(statement['Resource'])) resources.add(resource)
      grants.set(action, resources)
    }
  }
  return grants
}

function statementsOf({ document }: NamedPolicy): readonly JsonMap[] {
  const statements = isMap(document) ? document['Statement'] : undefined
  return [statements].flat().filter(isMap)
}

function texts(value: unknown): readonly string[] {
  return [value].flat().filter((one) => typeof one === 'string')
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
