import { gitHubAccess } from '../../src/run/github-access.js'
import { type LocalRun, localRun } from '../local-run.js'

let local: LocalRun
beforeEach(() => {
  local = localRun()
})
afterEach(() => local.end())

/** What a run of this environment comes to GitHub with, and what it masks and lets pass on the way. */
function accessIn(env: Readonly<Record<string, string>>) {
  const { run } = local
  const masked: string[] = []
  const paused: number[] = []
  const ports = {
    ...run.ports,
    env,
    runner: { ...run.ports.runner, setSecret: (secret: string) => void masked.push(secret) }
  }
  const { step } = run.journal.step('Comment')
  const access = gitHubAccess(
    { ports, journal: run.journal },
    { token: 'ghs_secret', input: 'comment' },
    { ...step, pause: async (milliseconds) => void paused.push(milliseconds) }
  )
  return { access, masked, paused }
}

test('the token is masked before anything is done with it, and goes with the API and repository of the workflow', () => {
  const { access, masked } = accessIn({
    GITHUB_API_URL: 'https://github.example/api/v3',
    GITHUB_REPOSITORY: 'org/repo'
  })
  expect(access).toMatchObject({
    apiUrl: 'https://github.example/api/v3',
    repository: 'org/repo',
    token: 'ghs_secret'
  })
  expect(masked).toEqual(['ghs_secret'])
  expect(local.log).toEqual([])
})

test('a runner that names no API has that of github.com, and a wait for it is one of the step', async () => {
  const { access, paused } = accessIn({ GITHUB_REPOSITORY: 'org/repo' })
  expect(access?.apiUrl).toBe('https://api.github.com')
  await access?.pause(250)
  expect(paused).toEqual([250])
})

test('outside of a workflow there is none, which the input is named for; the token is masked all the same', () => {
  const { access, masked } = accessIn({})
  expect(access).toBeUndefined()
  expect(masked).toEqual(['ghs_secret'])
  expect(local.log).toEqual([
    '::warning::comment: GITHUB_REPOSITORY is not set; run this in a workflow, or leave the input out'
  ])
})
