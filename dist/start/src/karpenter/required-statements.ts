import type { NamedPolicy } from '../aws/policy/changes.js'
import { statementsOf } from '../aws/policy/statements.js'
import { isMap } from '../engine/json.js'
import { permissionsOf } from './permissions.js'

/** What a version's controller calls, as one statement of a policy allows it. */
export interface RequiredStatement {
  /** The policy it is published in. */
  readonly policy: string
  readonly sid: string
  readonly actions: readonly string[]
}

/** Of the version's own published policies, where they are given; else of the table. */
export function requiredStatements(
  version: string,
  own: readonly NamedPolicy[] | undefined
): readonly RequiredStatement[] {
  if (own === undefined)
    return permissionsOf(version).map(({ policy, statement }) => ({
      policy,
      sid: statement.Sid,
      actions: statement.Action
    }))
  return own.flatMap(({ name, document }) =>
    (isMap(document) ? statementsOf(document) : [])
      .filter((statement) => statement['Effect'] === 'Allow')
      .map((statement) => ({
        policy: name,
        sid: typeof statement['Sid'] === 'string' ? statement['Sid'] : 'a statement without a Sid',
        actions: [statement['Action']].flat().filter((action) => typeof action === 'string')
      }))
  )
}
