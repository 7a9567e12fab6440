import { isMap } from '../engine/json.js'
import { type GitHubAccess, gitHubApi, GitHubError } from './api.js'

/** An issue of the repository, as far as it is of use here. */
export interface Issue {
  readonly number: number
  readonly state: 'open' | 'closed'
  readonly body: string
  /** Names. */
  readonly labels: readonly string[]
  /** Where a person sees it. */
  readonly url: string
}

/** What can be written of an issue; what is left out stays. */
export interface IssueChange {
  readonly title?: string
  readonly body?: string
  readonly state?: Issue['state']
}

/** The issues of one repository. Every call rejects with a GitHubError when GitHub refuses it. */
export interface Issues {
  /** `owner/name` */
  readonly repository: string
  /** Open and closed ones, the newest first, without pull requests. */
  labelled(label: string): Promise<readonly Issue[]>
  create(issue: {
    readonly title: string
    readonly body: string
    readonly labels: readonly string[]
  }): Promise<Issue>
  update(number: number, change: IssueChange): Promise<Issue>
  comment(number: number, body: string): Promise<void>
}

/** Issues over GitHub's REST API. */
export function issuesOf(access: GitHubAccess): Issues {
  const { call, all } = gitHubApi(access)
  return {
    repository: access.repository,
    labelled: async (label) => {
      const found = await all(`/issues?labels=${encodeURIComponent(label)}&state=all&per_page=100`)
      return found.filter((one) => !isMap(one['pull_request'])).map(issueIn)
    },
    create: async (issue) => issueIn((await call('POST', '/issues', issue)).body),
    update: async (number, change) => issueIn((await call('PATCH', `/issues/${number}`, change)).body),
    comment: async (number, body) => {
      await call('POST', `/issues/${number}/comments`, { body })
    }
  }
}

function issueIn(value: unknown): Issue {
  const number = isMap(value) ? value['number'] : undefined
  if (!isMap(value) || typeof number !== 'number') throw new GitHubError(200, 'the answer is no issue')
  const { state, body, labels, html_url: url } = value
  const all: readonly unknown[] = Array.isArray(labels) ? labels : []
  return {
    number,
    state: state === 'closed' ? 'closed' : 'open',
    body: typeof body === 'string' ? body : '',
    labels: all.flatMap((label) => {
      const name = isMap(label) ? label['name'] : label
      return typeof name === 'string' ? [name] : []
    }),
    url: typeof url === 'string' ? url : ''
  }
}
