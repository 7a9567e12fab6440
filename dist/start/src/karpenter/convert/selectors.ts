import type { AmiSelectorTerm, SelectorTerm } from '../types.js'
import type { DocumentFindings } from './findings.js'

const idKeys = ['aws-ids', 'aws::ids']

function valuesOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '')
}

/** Each combination of one value a key: a term's tags must all match, terms are alternatives. */
function combinations(
  selector: Readonly<Record<string, string>>
): readonly Readonly<Record<string, string>>[] {
  return Object.entries(selector).reduce<readonly Readonly<Record<string, string>>[]>(
    (terms, [key, value]) => terms.flatMap((term) => valuesOf(value).map((one) => ({ ...term, [key]: one }))),
    [{}]
  )
}

function without(
  selector: Readonly<Record<string, string>>,
  keys: readonly string[]
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(selector).filter(([key]) => !keys.includes(key)))
}

/** subnetSelector and securityGroupSelector: tags with comma-separated values, or ids under `aws-ids`. */
export function convertSelector(
  path: string,
  selector: Readonly<Record<string, string>>,
  findings: DocumentFindings
): readonly SelectorTerm[] {
  const ids = idKeys.flatMap((key) => valuesOf(selector[key] ?? ''))
  const tags = without(selector, idKeys)
  if (ids.length > 0) {
    if (Object.keys(tags).length > 0)
      findings.warn(`${path}: ${Object.keys(tags).join(', ')} is left out: a term with an id takes no tags`)
    return ids.map((id) => ({ id }))
  }
  if (Object.keys(tags).length === 0) return []
  const terms = combinations(tags).filter((term) => Object.keys(term).length > 0)
  if (terms.length === 0) findings.problem(`${path}: ${Object.keys(tags).join(', ')} has no value`)
  if (terms.length > 30) findings.problem(`${path}: comes to ${terms.length} terms, and 30 are allowed`)
  return terms.map((term) => ({ tags: term }))
}

/** amiSelector: ids, `aws::name` and `aws::owners`, or tags. */
export function convertAmiSelector(
  selector: Readonly<Record<string, string>>,
  findings: DocumentFindings
): readonly AmiSelectorTerm[] {
  const special = [...idKeys, 'aws::name', 'aws::owners']
  const ids = idKeys.flatMap((key) => valuesOf(selector[key] ?? ''))
  const names = valuesOf(selector['aws::name'] ?? '')
  const owners = valuesOf(selector['aws::owners'] ?? '')
  const tags = without(selector, special)
  if (ids.length > 0) {
    if (Object.keys(selector).length > 1)
      findings.warn('spec.amiSelector: only its ids are kept: a term with an id takes nothing else')
    return ids.map((id) => ({ id }))
  }
  const terms = combinations(tags).flatMap((term) =>
    (names.length === 0 ? [undefined] : names).flatMap((name) =>
      (owners.length === 0 ? [undefined] : owners).map((owner) => ({
        ...(Object.keys(term).length > 0 && { tags: term }),
        ...(name !== undefined && { name }),
        ...(owner !== undefined && { owner })
      }))
    )
  )
  const useful = terms.filter((term) => Object.keys(term).length > 0)
  if (useful.length === 0) findings.problem('spec.amiSelector has no value')
  if (useful.every((term) => Object.keys(term).length === 1 && term.owner !== undefined) && useful.length > 0)
    findings.problem('spec.amiSelector: aws::owners alone says no image; add aws::name or tags')
  return useful
}
