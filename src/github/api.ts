import { HttpClient } from '@actions/http-client'
import { called } from '../engine/calls.js'
import { isMap, type JsonMap } from '../engine/json.js'
import { ourName } from '../engine/owner.js'

/** GitHub refused a call; the message is GitHub's own. */
export class GitHubError extends Error {
  /** Of HTTP. */
  readonly status: number
  /** Too many calls were made: nothing is wrong with this one. */
  readonly limited: boolean
  constructor(status: number, message: string, limited = false) {
    super(message)
    this.name = 'GitHubError'
    this.status = status
    this.limited = limited
  }
}

export interface GitHubAccess {
  /** `GITHUB_API_URL`: https://api.github.com, or what an Enterprise server has. */
  readonly apiUrl: string
  /** `GITHUB_REPOSITORY`: owner/name. */
  readonly repository: string
  readonly token: string
  /** Waits so many milliseconds; rejects when the run is told to end. */
  readonly pause: (milliseconds: number) => Promise<void>
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: unknown
}

const mostTries = 4
/** Seconds; a limit that lasts longer is for the next run. */
const longestWait = 60
const socketTimeout = 30_000

/** GitHub's REST API as far as one repository goes. Every call rejects with a GitHubError when GitHub refuses it. */
export interface GitHubApi {
  /** `path` below the repository: `/issues/7`. */
  readonly call: (verb: Verb, path: string, body?: unknown) => Promise<Answer>
  /** Every object of a listing, page by page. */
  readonly all: (path: string) => Promise<readonly JsonMap[]>
}

/**
 * GitHub's REST API (version 2022-11-28). Proxies are those of the environment. A call that GitHub has not taken, for a
 * rate limit, is made again; one that ended in a 5xx only where making it twice does no harm.
 */
export function gitHubApi({ apiUrl, repository, token, pause }: GitHubAccess): GitHubApi {
  const client = new HttpClient(ourName, [], { socketTimeout })
  const base = `${apiUrl.replace(/\/+$/, '')}/repos/${repository}`
  const headers = {
    accept: 'application/vnd.github+json',
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'x-github-api-version': '2022-11-28'
  }

  const once = async (verb: Verb, url: string, body: unknown): Promise<Answer> => {
    const data = body === undefined ? null : JSON.stringify(body)
    return called(`GitHub ${verb}`, async () => {
      const response = await client.request(verb, url, data, { ...headers })
      const { statusCode = 0, headers: received } = response.message
      return { status: statusCode, headers: received, body: parsed(await response.readBody()) }
    })
  }

  const call = async (verb: Verb, url: string, body?: unknown): Promise<Answer> => {
    for (let tries = 1; ; tries++) {
      const answer = await once(verb, url, body)
      if (isWhole(answer)) return answer
      const seconds = tries < mostTries ? secondsToWait(verb, answer, tries) : undefined
      if (seconds === undefined && answer.status < 300)
        throw new GitHubError(answer.status, 'the answer is none of GitHub')
      if (seconds === undefined) throw new GitHubError(answer.status, messageIn(answer), isLimited(answer))
      await pause(seconds * 1000)
    }
  }

  return {
    call: async (verb, path, body) => call(verb, `${base}${path}`, body),
    all: async (path) => {
      const found: JsonMap[] = []
      let url: string | undefined = `${base}${path}`
      while (url !== undefined) {
        const answer: Answer = await call('GET', url)
        if (!Array.isArray(answer.body)) throw new GitHubError(answer.status, 'the answer is no list')
        found.push(...answer.body.filter(isMap))
        url = nextPage(answer, base)
      }
      return found
    }
  }
}

/** A success that is GitHub's: what breaks off, or is a proxy's page, would be read as a list with nothing in it. */
function isWhole({ status, body }: Answer): boolean {
  return status === 204 || (status >= 200 && status < 300 && body !== undefined)
}

type Verb = 'GET' | 'POST' | 'PATCH'

/** Undefined when the call is not to be made again. See "Rate limits for the REST API" in GitHub's documentation. */
function secondsToWait(verb: Verb, answer: Answer, tries: number): number | undefined {
  const { status } = answer
  if (isLimited(answer)) {
    const after = Number(header(answer, 'retry-after') ?? NaN)
    if (Number.isNaN(after) && header(answer, 'x-ratelimit-remaining') === '0') return undefined
    const seconds = after >= 0 ? after : longestWait
    return seconds <= longestWait ? seconds : undefined
  }
  return (status >= 500 || status < 300) && verb !== 'POST' ? 2 ** (tries - 1) : undefined
}

function isLimited(answer: Answer): boolean {
  if (answer.status === 429) return true
  if (answer.status !== 403) return false
  return (
    header(answer, 'retry-after') !== undefined ||
    header(answer, 'x-ratelimit-remaining') === '0' ||
    /secondary rate limit/i.test(messageIn(answer))
  )
}

/** The next page of a listing; the token goes to no other server than the one that was named. */
function nextPage(answer: Answer, base: string): string | undefined {
  const next = /<([^<>]+)>;\s*rel="next"/.exec(header(answer, 'link') ?? '')?.[1]
  return next !== undefined && URL.canParse(next) && new URL(next).origin === new URL(base).origin
    ? next
    : undefined
}

function header({ headers }: Answer, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

function messageIn({ status, body }: Answer): string {
  const message = isMap(body) ? body['message'] : undefined
  return typeof message === 'string' ? `${message} (HTTP ${status})` : `HTTP ${status}`
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
