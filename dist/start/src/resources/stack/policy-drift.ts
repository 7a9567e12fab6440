import type { Difference, Severity } from '../../engine/difference.js'
import { policyDifferences, type StatementDifference } from '../../aws/policy/differences.js'
import { statementsOf } from '../../aws/policy/statements.js'

/**
 * What a live policy document says differently from the wanted one, one difference a statement. `prefix` goes before each
 * path, which is the Sid; `of` says in reasons whose document it is: `the queue's policy`. Throws SyntaxError for what is
 * no policy.
 */
export function documentDifferences(
  wanted: unknown,
  live: unknown,
  { prefix, of }: { readonly prefix: string; readonly of: string }
): readonly Difference[] {
  return policyDifferences(wanted, live).map((difference) => ({
    path: `${prefix}${difference.statement}`,
    wanted:
      difference.change === 'added' ? undefined : (statementIn(wanted, difference) ?? difference.wanted),
    live: difference.change === 'removed' ? undefined : (statementIn(live, difference) ?? difference.live),
    reason: reasonOf(difference, of),
    severity: severityOf(difference)
  }))
}

/** What lets less be done takes from the controller or from AWS what they need; what lets more be done weakens security. */
function severityOf({ grants }: StatementDifference): Severity {
  if (grants.less) return 'breaks scaling'
  return grants.more ? 'weakens security' : 'cosmetic'
}

function reasonOf({ statement, change, wanted, live }: StatementDifference, of: string): string {
  if (change === 'removed') return `${of} lacks statement ${statement}`
  if (change === 'added') return `${of} has statement ${statement}, which nothing asks for: ${few(live)}`
  const parts = [
    ...(wanted.length > 0 ? [`lacks ${few(wanted)}`] : []),
    ...(live.length > 0 ? [`has ${few(live)} instead or besides`] : [])
  ]
  return `statement ${statement} of ${of} ${parts.join(', and ')}`
}

function few(lines: readonly string[]): string {
  const rest = lines.length - 3
  return lines.slice(0, 3).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}

/** The statement as the document writes it; undefined where it has no Sid to find it by. */
function statementIn(document: unknown, { statement }: StatementDifference): unknown {
  return statementsOf(document).find((own) => own['Sid'] === statement)
}
