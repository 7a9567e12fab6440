import type { Comments } from '../github/comments.js'
import { gitHubProblem, lacksRights } from './github-problem.js'
import {
  isEmpty,
  isPlanOf,
  planComment,
  type PlanCluster,
  type PlanSaid,
  struckOut
} from './plan-comment-body.js'

export interface PlanCommentParts {
  readonly comments: Comments
  readonly repository: string
  readonly cluster: PlanCluster
  readonly said: PlanSaid
  /** URL of the run. */
  readonly run: string
}

export type PlanCommentOutcome =
  | { readonly kind: 'none' }
  | { readonly kind: 'created' | 'updated' | 'struck out'; readonly url: string }
  /** The token may not, as that of a pull request of a fork may not: one sentence. */
  | { readonly kind: 'not allowed'; readonly note: string }
  /** One sentence with what to do; no reason to fail a plan. */
  | { readonly kind: 'failed'; readonly warning: string }

/**
 * Keeps the one comment of a cluster under a pull request: written with the first plan that has something to say, edited in
 * place by the next ones, struck out when nothing is to be changed any more. Other clusters' comments and those of people
 * are not touched.
 */
export async function keepPlanComment(parts: PlanCommentParts): Promise<PlanCommentOutcome> {
  try {
    return await keep(parts)
  } catch (error) {
    const problem = gitHubProblem(error, {
      what: `comment: the plan under the pull request of ${parts.repository}`,
      permission: 'pull-requests: write',
      input: 'comment',
      again: 'plan'
    })
    if (!lacksRights(error)) return { kind: 'failed', warning: problem }
    return { kind: 'not allowed', note: `${problem}; to pull requests of forks GitHub gives no such token` }
  }
}

async function keep({ comments, cluster, said, run }: PlanCommentParts): Promise<PlanCommentOutcome> {
  const own = (await comments.all()).find(({ body, trusted }) => trusted && isPlanOf(body, cluster))
  if (own === undefined) {
    if (isEmpty(said)) return { kind: 'none' }
    return { kind: 'created', url: (await comments.create(planComment(cluster, said, run))).url }
  }
  const body = isEmpty(said) ? struckOut(cluster, run) : planComment(cluster, said, run)
  await comments.update(own.id, body)
  return { kind: isEmpty(said) ? 'struck out' : 'updated', url: own.url }
}
