import { isMap, mapAt } from '../engine/json.js'

/** What a run knows of the event that began it. */
export interface EventSource {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Text of a file; throws when it cannot be read. */
  readonly readFile: (path: string) => string
}

/**
 * Number of the pull request that a run is about: of the event's payload (`pull_request`, `pull_request_target`, a comment
 * under one), else of `refs/pull/<number>/merge`; undefined where it is about none. See "Events that trigger workflows" and
 * "Variables reference" in GitHub's documentation.
 */
export function pullRequestOf({ env, readFile }: EventSource): number | undefined {
  const event = payloadOf(env['GITHUB_EVENT_PATH'], readFile)
  const { number } = mapAt(event, 'pull_request')
  if (typeof number === 'number') return number
  const issue = mapAt(event, 'issue')
  if (isMap(issue['pull_request']) && typeof issue['number'] === 'number') return issue['number']
  const ofRef = /^refs\/pull\/(\d+)\//.exec(env['GITHUB_REF'] ?? '')?.[1]
  return ofRef === undefined ? undefined : Number(ofRef)
}

function payloadOf(path: string | undefined, readFile: EventSource['readFile']): unknown {
  if (path === undefined || path === '') return undefined
  try {
    return JSON.parse(readFile(path))
  } catch {
    // The ref says it as well.
    return undefined
  }
}
