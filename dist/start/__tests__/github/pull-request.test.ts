import { pullRequestOf } from '../../src/github/pull-request.js'

function of(event: unknown, ref?: string): number | undefined {
  const env = { GITHUB_EVENT_PATH: '/event.json', ...(ref !== undefined && { GITHUB_REF: ref }) }
  return pullRequestOf({
    env,
    readFile: () => {
      if (event === undefined) throw new Error('ENOENT')
      return typeof event === 'string' ? event : JSON.stringify(event)
    }
  })
}

test.each([
  ['of the event', { pull_request: { number: 7 } }, 'refs/heads/main', 7],
  ['of a comment under one', { issue: { number: 8, pull_request: {} } }, 'refs/heads/main', 8],
  ['of the ref, where there is no event', undefined, 'refs/pull/9/merge', 9],
  ['of the ref, where the event is no JSON', '{', 'refs/pull/9/merge', 9],
  ['none of an issue', { issue: { number: 8 } }, 'refs/heads/main', undefined],
  ['none of a push', { ref: 'refs/heads/pull/3/x' }, 'refs/heads/pull/3/x', undefined]
])('the pull request of a run is that %s', (_what, event, ref, number) => {
  expect(of(event, ref)).toBe(number)
})

test('a run outside of GitHub is about none', () => {
  expect(pullRequestOf({ env: {}, readFile: () => '' })).toBeUndefined()
})
