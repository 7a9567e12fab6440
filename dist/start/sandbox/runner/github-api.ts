import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listen } from '../listen.js'
import { isRecord, list, record, text } from '../values.js'

export interface StoredIssue {
  readonly repository: string
  readonly number: number
  readonly title: string
  readonly body: string
  readonly state: 'open' | 'closed'
  readonly labels: readonly string[]
  /** Login. */
  readonly creator: string
  readonly pullRequest: boolean
}

export interface StoredComment {
  readonly id: number
  readonly repository: string
  readonly issue: number
  readonly body: string
  /** Login. */
  readonly creator: string
  /** What the creator is to the repository: `MEMBER`, `NONE`. */
  readonly association: string
}

export type GitHubFault =
  /** The token lacks `issues: write`; reading is allowed. */
  | { readonly kind: 'no write' }
  | { readonly kind: 'issues disabled' }
  | { readonly kind: 'secondary rate limit'; readonly times: number; readonly retryAfter?: number }
  | { readonly kind: 'status'; readonly status: number; readonly times: number; readonly method?: string }
  /** Whoever lacks push access may set none. */
  | { readonly kind: 'labels dropped' }
  | { readonly kind: 'drop' }

export interface GitHubApi {
  /** For `GITHUB_API_URL`. */
  readonly url: string
  /** The one token that is good. */
  readonly token: string
  /** `POST /repos/octo-org/octo-repo/issues 201` */
  readonly requests: readonly string[]
  /** The oldest first. */
  issues(): readonly StoredIssue[]
  comments(): readonly StoredComment[]
  /** An issue or pull request that somebody else has made. */
  put(issue: Partial<Omit<StoredIssue, 'number'>>): StoredIssue
  /** A comment that somebody else has written. */
  putComment(comment: Pick<StoredComment, 'issue' | 'body'> & Partial<StoredComment>): StoredComment
  /** What goes wrong from now on; `undefined` ends it. */
  setFault(fault: GitHubFault | undefined): void
  stop(): Promise<void>
}

interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

const MOST_BODY = 65_536
const MOST_TITLE = 256
/** Whom the token of a workflow speaks for. */
const BOT = 'github-actions[bot]'

/** Starts what GitHub's REST API (2022-11-28) has of issues, for the repositories named. */
export async function startGitHubApi(repositories: readonly string[]): Promise<GitHubApi> {
  const token = `ghs_${randomBytes(18).toString('hex')}`
  const issues: StoredIssue[] = []
  const comments: StoredComment[] = []
  const requests: string[] = []
  let fault: GitHubFault | undefined
  let hits = 0
  let url = ''

  const put: GitHubApi['put'] = (issue) => {
    const stored: StoredIssue = {
      repository: repositories[0] ?? '',
      title: 'Somebody',
      body: '',
      state: 'open',
      labels: [],
      creator: 'octocat',
      pullRequest: false,
      ...issue,
      number: issues.length + 1
    }
    issues.push(stored)
    return stored
  }

  const putComment: GitHubApi['putComment'] = (comment) => {
    const stored: StoredComment = {
      repository: repositories[0] ?? '',
      creator: 'octocat',
      association: 'NONE',
      ...comment,
      id: comments.length + 1
    }
    comments.push(stored)
    return stored
  }

  const shownComment = ({ id, repository, issue, body, creator, association }: StoredComment): unknown => ({
    id,
    body,
    user: { login: creator, type: creator === BOT ? 'Bot' : 'User' },
    author_association: association,
    html_url: `https://github.com/${repository}/issues/${issue}#issuecomment-${id}`
  })

  const shown = (issue: StoredIssue): unknown => ({
    number: issue.number,
    title: issue.title,
    body: issue.body,
    state: issue.state,
    labels: issue.labels.map((name) => ({ name })),
    user: { login: issue.creator },
    html_url: `https://github.com/${issue.repository}/issues/${issue.number}`,
    ...(issue.pullRequest ? { pull_request: { url } } : {})
  })

  const listed = (repository: string, query: URLSearchParams, path: string): Reply => {
    const state = query.get('state') ?? 'open'
    const labels = (query.get('labels') ?? '').split(',').filter((label) => label !== '')
    const creator = query.get('creator')
    const all = issues
      .filter((issue) => issue.repository === repository)
      .filter((issue) => state === 'all' || issue.state === state)
      .filter((issue) => labels.every((label) => issue.labels.includes(label)))
      .filter((issue) => creator === null || issue.creator === creator)
      .toReversed()
    return paged(all.map(shown), query, path)
  }

  const paged = (all: readonly unknown[], query: URLSearchParams, path: string): Reply => {
    const size = Math.min(Number(query.get('per_page') ?? 30), 100)
    const page = Number(query.get('page') ?? 1)
    const next = new URLSearchParams(query)
    next.set('page', String(page + 1))
    const more = all.length > page * size
    return {
      status: 200,
      body: all.slice((page - 1) * size, page * size),
      ...(more ? { headers: { link: `<${url}${path}?${next.toString()}>; rel="next"` } } : {})
    }
  }

  const faulty = (method: string): Reply | undefined => {
    if (fault?.kind === 'no write' && method !== 'GET') {
      return refused(403, 'Resource not accessible by integration')
    }
    if (fault?.kind === 'issues disabled') {
      return refused(410, 'Issues has been disabled in this repository.')
    }
    if (fault?.kind === 'status' && fault.method !== undefined && fault.method !== method) return undefined
    if ((fault?.kind === 'secondary rate limit' || fault?.kind === 'status') && hits < fault.times) {
      hits++
      return fault.kind === 'status'
        ? refused(fault.status, 'Server Error')
        : {
            ...refused(403, 'You have exceeded a secondary rate limit. Please wait a few minutes.'),
            headers: { 'retry-after': String(fault.retryAfter ?? 1) }
          }
    }
    return undefined
  }

  const write = (
    method: string,
    repository: string,
    [number, part]: readonly [number: string, part: string],
    body: unknown
  ): Reply => {
    const sent = record(body)
    const invalid = problemOf(sent)
    if (invalid !== undefined) {
      return refused(422, 'Validation Failed', [invalid])
    }
    if (number === '') {
      const title = text(sent['title'])
      if (method !== 'POST') return refused(404, 'Not Found')
      if (title === undefined || title === '') {
        return refused(422, 'Validation Failed', [
          { resource: 'Issue', field: 'title', code: 'missing_field' }
        ])
      }
      const given = fault?.kind === 'labels dropped' ? [] : list(sent['labels'])
      const labels = given.flatMap((label) => text(label) ?? [])
      const issue = { repository, title, body: text(sent['body']) ?? '', labels, creator: BOT }
      return { status: 201, body: shown(put(issue)) }
    }
    const index = issues.findIndex((one) => one.repository === repository && String(one.number) === number)
    const issue = issues[index]
    if (issue === undefined) return refused(404, 'Not Found')
    if (part === 'comments' && method === 'POST') {
      const comment = text(sent['body'])
      if (comment === undefined || comment === '') {
        return refused(422, 'Validation Failed', [
          { resource: 'IssueComment', field: 'body', code: 'missing_field' }
        ])
      }
      return {
        status: 201,
        body: shownComment(putComment({ repository, issue: issue.number, body: comment, creator: BOT }))
      }
    }
    if (part !== '' || method !== 'PATCH') return refused(404, 'Not Found')
    const changed: StoredIssue = {
      ...issue,
      title: text(sent['title']) ?? issue.title,
      body: text(sent['body']) ?? issue.body,
      state: sent['state'] === 'open' || sent['state'] === 'closed' ? sent['state'] : issue.state
    }
    issues[index] = changed
    return { status: 200, body: shown(changed) }
  }

  const editComment = (method: string, repository: string, id: string, body: unknown): Reply => {
    const index = comments.findIndex((one) => one.repository === repository && String(one.id) === id)
    const comment = comments[index]
    if (comment === undefined || method !== 'PATCH') return refused(404, 'Not Found')
    const sent = record(body)
    const invalid = problemOf(sent)
    if (invalid !== undefined) return refused(422, 'Validation Failed', [invalid])
    const changed = { ...comment, body: text(sent['body']) ?? comment.body }
    comments[index] = changed
    return { status: 200, body: shownComment(changed) }
  }

  const answer = (request: IncomingMessage, body: unknown): Reply => {
    const { pathname, searchParams } = new URL(request.url ?? '/', url)
    const method = request.method ?? ''
    const given = /^(?:bearer|token) (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (given !== token) return refused(401, 'Bad credentials')
    // GitHub refuses whoever does not say who they are.
    if (request.headers['user-agent'] === undefined) return refused(403, 'Request forbidden')
    const [, owner = '', name = '', comment = '', number = '', part = ''] =
      /^\/repos\/([^/]+)\/([^/]+)\/issues(?:\/comments\/(\d+))?(?:\/(\d+))?(?:\/(\w+))?$/.exec(pathname) ?? []
    const repository = `${owner}/${name}`
    if (!repositories.includes(repository)) return refused(404, 'Not Found')
    const wrong = faulty(method)
    if (wrong !== undefined) return wrong
    if (comment !== '') return editComment(method, repository, comment, body)
    if (method === 'GET') {
      if (number === '') return listed(repository, searchParams, pathname)
      const issue = issues.find((one) => one.repository === repository && String(one.number) === number)
      if (issue !== undefined && part === 'comments') {
        const under = comments.filter((one) => one.repository === repository && one.issue === issue.number)
        return paged(under.map(shownComment), searchParams, pathname)
      }
      return issue === undefined || part !== ''
        ? refused(404, 'Not Found')
        : { status: 200, body: shown(issue) }
    }
    return write(method, repository, [number, part], body)
  }

  const server = createServer((request, response) => {
    if (fault?.kind === 'drop') {
      request.socket.destroy()
      return
    }
    readJson(request)
      .then((body) => {
        const reply = answer(request, body)
        requests.push(`${request.method ?? ''} ${(request.url ?? '').replace(/\?.*$/, '')} ${reply.status}`)
        send(response, reply)
      })
      .catch((error: unknown) => send(response, refused(400, `Problems parsing JSON: ${String(error)}`)))
  })
  const listening = await listen(server)
  url = `http://127.0.0.1:${listening.port}`
  return {
    url,
    token,
    requests,
    issues: () => issues.filter((issue) => !issue.pullRequest),
    comments: () => comments,
    put,
    putComment,
    setFault: (next) => {
      fault = next
      hits = 0
    },
    stop: listening.close
  }
}

function problemOf(sent: Readonly<Record<string, unknown>>): unknown {
  const { title, body, state, labels } = sent
  if (body !== undefined && (typeof body !== 'string' || body.length > MOST_BODY)) {
    return { field: 'body', code: 'custom', message: `body is too long (maximum is ${MOST_BODY} characters)` }
  }
  if (title !== undefined && (typeof title !== 'string' || title.length > MOST_TITLE)) {
    return {
      field: 'title',
      code: 'custom',
      message: `title is too long (maximum is ${MOST_TITLE} characters)`
    }
  }
  if (state !== undefined && state !== 'open' && state !== 'closed') {
    return { field: 'state', code: 'invalid' }
  }
  return labels !== undefined && !Array.isArray(labels) ? { field: 'labels', code: 'invalid' } : undefined
}

function refused(status: number, message: string, errors?: readonly unknown[]): Reply {
  return {
    status,
    body: {
      message,
      ...(errors === undefined ? {} : { errors }),
      documentation_url: 'https://docs.github.com/rest',
      status: String(status)
    }
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk)
  const sent = Buffer.concat(chunks).toString('utf8')
  if (sent === '') return undefined
  const body: unknown = JSON.parse(sent)
  if (!isRecord(body)) throw new Error('not an object')
  return body
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
  response.end(JSON.stringify(body))
}
