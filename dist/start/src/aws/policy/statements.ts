import { isMap, type JsonMap } from '../../engine/json.js'

/** A policy document as a value: from JSON, from JSON in URL encoding (as IAM answers), or as it is. Throws SyntaxError. */
export function policyValue(document: unknown): unknown {
  if (typeof document !== 'string') return document
  const text = document.trim()
  return JSON.parse(text.startsWith('{') ? text : decodeURIComponent(text))
}

/** Statements of a document, as it writes them; one alone need not be in a list. None where it is no policy. */
export function statementsOf(document: unknown): readonly JsonMap[] {
  const value = policyValue(document)
  return isMap(value) ? listOf(value['Statement']).filter(isMap) : []
}

/** Values of an element, which IAM takes alone or in a list; none of one that is not there. */
export function textsOf(value: unknown): readonly string[] {
  return value === undefined ? [] : listOf(value).map(String)
}

/** An action that documents allow, and where. */
export interface Allowance {
  /** With IAM's wildcards. */
  readonly action: string
  readonly resources: readonly string[]
}

/** What documents allow by Action and Resource. Conditions and denials are not looked at. */
export function allowancesOf(documents: readonly unknown[]): readonly Allowance[] {
  return documents
    .flatMap(statementsOf)
    .filter((statement) => statement['Effect'] === 'Allow')
    .flatMap((statement) =>
      textsOf(statement['Action']).map((action) => ({ action, resources: textsOf(statement['Resource']) }))
    )
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}
