import { createHash } from 'node:crypto'
import type { Issue, Issues } from '../github/issues.js'
import { gitHubProblem } from './github-problem.js'

/** By it the issues are listed. */
export const driftLabel = 'karpenter-drift'
/** GitHub takes 65,536 characters. */
export const mostCharacters = 60_000

/** What an issue is to say, and whether there is to be one. */
export interface WantedIssue {
  /** What it is about, by which it is known among the others: an ARN, a workflow. */
  readonly key: string
  /** `as it is`: one that is open goes on, and none is opened. */
  readonly state: 'open' | 'closed' | 'as it is'
  readonly title: string
  readonly body: string
  /** What has changed, for those who are notified. */
  readonly comment: string
  /** The last word. */
  readonly closing: string
}

export type IssueOutcome =
  | { readonly kind: 'none' }
  | { readonly kind: 'opened' | 'updated' | 'reopened' | 'closed'; readonly url: string }
  /** One sentence with what to do; no reason to fail a run. */
  | { readonly kind: 'failed'; readonly warning: string }

/**
 * Keeps the one issue of a key: opened, updated in place, closed and opened again. Those who are notified hear of it when
 * other things were found than before. Issues of other keys and those of people are not touched.
 */
export async function keepIssue(issues: Issues, wanted: WantedIssue): Promise<IssueOutcome> {
  try {
    return await keep(issues, wanted)
  } catch (error) {
    const warning = gitHubProblem(error, {
      what: `drift-issue: the issue in ${issues.repository}`,
      permission: 'issues: write',
      input: 'drift-issue',
      again: 'run'
    })
    return { kind: 'failed', warning }
  }
}

async function keep(issues: Issues, wanted: WantedIssue): Promise<IssueOutcome> {
  const own = (await issues.labelled(driftLabel)).filter(({ body }) => isOf(body, wanted.key))
  const found = own.find(({ state }) => state === 'open') ?? own[0]
  if (wanted.state === 'open')
    return found === undefined ? open(issues, wanted) : write(issues, wanted, found)
  if (found?.state !== 'open') return { kind: 'none' }
  return wanted.state === 'closed' ? close(issues, wanted, found) : write(issues, wanted, found)
}

async function open(issues: Issues, { title, body }: WantedIssue): Promise<IssueOutcome> {
  const issue = await issues.create({ title, body, labels: [driftLabel] })
  // GitHub drops the labels of whoever may not set them, and without its label no later run finds the issue again.
  if (issue.labels.includes(driftLabel)) return { kind: 'opened', url: issue.url }
  return {
    kind: 'failed',
    warning: `drift-issue: ${issue.url} was opened without its label; set the label ${driftLabel} on it, and give github-token \`issues: write\``
  }
}

async function write(issues: Issues, wanted: WantedIssue, found: Issue): Promise<IssueOutcome> {
  const { title, body, comment } = wanted
  const reopened = found.state === 'closed'
  const changed = reopened || setIn(found.body) !== setIn(body)
  await issues.update(found.number, { title, body, ...(reopened && { state: 'open' }) })
  if (changed) await issues.comment(found.number, comment)
  return { kind: reopened ? 'reopened' : 'updated', url: found.url }
}

async function close(issues: Issues, { closing }: WantedIssue, found: Issue): Promise<IssueOutcome> {
  await issues.comment(found.number, closing)
  await issues.update(found.number, { state: 'closed' })
  return { kind: 'closed', url: found.url }
}

/** The line by which the issue of a key is known; nobody sees it. A key cannot end the comment that it stands in. */
export function markerOf(key: string): string {
  return `<!-- setup-karpenter: ${key.replaceAll(/[<>\r\n]/g, '')} -->`
}

/** Whether the body carries the marker on a line of its own; quoted in a sentence it is a person's. */
function isOf(body: string, key: string): boolean {
  return body.split(/\r?\n/).some((line) => line === markerOf(key))
}

/** The line that says what was found, whatever its values: a value that swings must not notify anybody at each run. */
export function setLine(found: readonly (readonly string[])[]): string {
  const keys = found.map((one) => JSON.stringify(one)).toSorted()
  return `<!-- findings: ${createHash('sha256').update(keys.join('\n')).digest('hex').slice(0, 16)} -->`
}

/** What an issue's body speaks of; undefined where that line is gone. */
function setIn(body: string): string | undefined {
  return /^<!-- findings: ([0-9a-f]{16}) -->\r?$/m.exec(body)?.[1]
}

/** Whole rows that fit into so many characters. */
export function rowsWithin(rows: readonly string[], room: number): readonly string[] {
  let used = 0
  const first = rows.findIndex((text) => (used += text.length + 1) > room)
  return first === -1 ? rows : rows.slice(0, first)
}
