import { policyDifferences } from './differences.js'
import { allowancesOf, statementsOf } from './statements.js'

/** A policy by its name; `document` as IAM takes it, or with CloudFormation's placeholders in it. */
export interface NamedPolicy {
  readonly name: string
  readonly document: unknown
}

/** One statement that a change adds, takes away or changes. */
export interface StatementChange {
  /** Of the policy that has it afterwards, or that had it. */
  readonly policy: string
  /** Sid, or what it says where it has none. */
  readonly statement: string
  readonly change: 'added' | 'removed' | 'changed'
  /** What only the new one says, one line a value: `Action: ec2:DescribePlacementGroups`. */
  readonly gains: readonly string[]
  /** What only the old one says. */
  readonly loses: readonly string[]
}

/** What may be done by one set of policies and could not by the one before, and the other way round. */
export interface PermissionChanges {
  /** `ec2:DescribePlacementGroups`, or `ec2:RunInstances on arn:...` where the action itself is not new. */
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly statements: readonly StatementChange[]
  /** Names of policies that come and go; what they say may have moved unchanged. */
  readonly policies: { readonly added: readonly string[]; readonly removed: readonly string[] }
}

/** Statement by statement, whichever policy has it: 1.9 split one into five, and took nothing from what they allow. */
export function policyChanges(
  before: readonly NamedPolicy[],
  after: readonly NamedPolicy[]
): PermissionChanges {
  const [had, has] = [allowedBy(before), allowedBy(after)]
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
  return { Version: '2012-10-17', Statement: policies.flatMap(({ document }) => statementsOf(document)) }
}

function policyWith(sid: string, policies: readonly NamedPolicy[]): string {
  return (
    policies.find(({ document }) => statementsOf(document).some((statement) => statement['Sid'] === sid))
      ?.name ?? ''
  )
}

/** Action to the resources it is allowed on. Conditions are not compared: the statements are. */
type Allowed = ReadonlyMap<string, ReadonlySet<string>>

function allowedBy(policies: readonly NamedPolicy[]): Allowed {
  const allowed = new Map<string, Set<string>>()
  for (const { action, resources } of allowancesOf(policies.map(({ document }) => document))) {
    const known = allowed.get(action) ?? new Set()
    for (const resource of resources) known.add(resource)
    allowed.set(action, known)
  }
  return allowed
}

function only(one: Allowed, other: Allowed): readonly string[] {
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
