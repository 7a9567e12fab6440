import type { GitHubAccess } from '../github/api.js'
import type { Step } from '../engine/resource.js'
import type { Run } from './run.js'

/** How a run comes to GitHub's API, its token masked; undefined, with a warning, where no workflow runs it. */
export function gitHubAccess(
  { ports, journal }: Pick<Run, 'ports' | 'journal'>,
  { token, input }: { readonly token: string; readonly input: string },
  step: Step
): GitHubAccess | undefined {
  ports.runner.setSecret(token)
  const { GITHUB_API_URL: apiUrl = 'https://api.github.com', GITHUB_REPOSITORY: repository } = ports.env
  if (repository === undefined) {
    journal.warning(`${input}: GITHUB_REPOSITORY is not set; run this in a workflow, or leave the input out`)
    return undefined
  }
  return { apiUrl, repository, token, pause: async (milliseconds) => step.pause(milliseconds) }
}
