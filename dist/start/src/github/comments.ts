import { isMap } from '../engine/json.js'
import { type GitHubAccess, gitHubApi, GitHubError } from './api.js'

/** A comment under a pull request, as far as it is of use here. */
export interface Comment {
  readonly id: number
  readonly body: string
  /**
   * Whether a bot or somebody of the repository wrote it. Whoever may only comment can write whatever line they like, and a
   * workflow's token may edit everybody's comments.
   */
  readonly trusted: boolean
  /** Where a person sees it. */
  readonly url: string
}

/** The comments of one pull request. Every call rejects with a GitHubError when GitHub refuses it. */
export interface Comments {
  /** The oldest first. */
  all(): Promise<readonly Comment[]>
  create(body: string): Promise<Comment>
  update(id: number, body: string): Promise<Comment>
}

/** Comments over GitHub's REST API: to it a pull request is an issue. */
export function commentsOf(access: GitHubAccess, pullRequest: number): Comments {
  const { call, all } = gitHubApi(access)
  const ofPullRequest = `/issues/${pullRequest}/comments`
  return {
    all: async () => (await all(`${ofPullRequest}?per_page=100`)).map(commentIn),
    create: async (body) => commentIn((await call('POST', ofPullRequest, { body })).body),
    update: async (id, body) => commentIn((await call('PATCH', `/issues/comments/${id}`, { body })).body)
  }
}

/** As GitHub calls those who belong to a repository: GraphQL's CommentAuthorAssociation. */
const ofTheRepository: readonly unknown[] = ['OWNER', 'MEMBER', 'COLLABORATOR']

function commentIn(value: unknown): Comment {
  const id = isMap(value) ? value['id'] : undefined
  if (!isMap(value) || typeof id !== 'number') throw new GitHubError(200, 'the answer is no comment')
  const { body, user, author_association: association, html_url: url } = value
  const isBot = isMap(user) && user['type'] === 'Bot'
  return {
    id,
    body: typeof body === 'string' ? body : '',
    trusted: isBot || ofTheRepository.includes(association),
    url: typeof url === 'string' ? url : ''
  }
}
