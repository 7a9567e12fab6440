import { PlayedWorld } from '../../__tests__/modes/played-run.js'
import { type GitHubApi, startGitHubApi } from '../../sandbox/runner/github-api.js'

/** A page that people see, and whether its run is one that draws when it did what. */
export interface PageText {
  readonly name: string
  readonly markdown: string
  readonly drawn: boolean
}

const repository = 'org/repo'
const quick = { 'smoke-test': 'false' }

/** What runs of every mode write, from real ones against played AWS, a small API server and a stand-in of GitHub's API. */
export async function pageTexts(): Promise<readonly PageText[]> {
  const github = await startGitHubApi([repository])
  try {
    return [...(await lifeOf(github)), ...(await failures())]
  } finally {
    await github.stop()
  }
}

/** One installation from its plan to its end. */
async function lifeOf(github: GitHubApi): Promise<readonly PageText[]> {
  const world = await PlayedWorld.start()
  const pages: PageText[] = []
  const token = { 'github-token': github.token }
  const env = { GITHUB_API_URL: github.url, GITHUB_REPOSITORY: repository }
  const add = (name: string, markdown: string, drawn = false): void =>
    void pages.push({ name, markdown, drawn })
  try {
    github.put({ pullRequest: true })
    const plan = { mode: 'plan', comment: 'true', ...token }
    const onPullRequest = { ...env, GITHUB_REF: 'refs/pull/1/merge' }
    add('plan of a first install', (await world.main(plan, { env: onPullRequest })).summary)
    add('comment of a first install', github.comments()[0]?.body ?? '')
    add('install', (await world.main()).summary, true)
    add('install again', (await world.main(quick)).summary)
    add('check', (await world.main({ mode: 'check' })).summary)
    damage(world)
    const ignore = '[{resource: "subnet-tags", field: "subnet-1.*", reason: "moved by hand, to be undone"}]'
    add('plan of drift', (await world.main({ mode: 'plan' })).summary)
    const check = { mode: 'check', 'drift-issue': 'true', ignore, ...token }
    add('check of drift', (await world.main(check, { env })).summary)
    add('drift issue', github.issues().find(({ title }) => title.includes('drifted'))?.body ?? '')
    add('smoke test', (await world.main({ mode: 'smoke-test' })).summary, true)
    add('uninstall', (await world.main({ mode: 'uninstall' })).summary, true)
    add('uninstall again', (await world.main({ mode: 'uninstall' })).summary)
    return pages
  } finally {
    await world.stop()
  }
}

/** What people do to it by hand. */
function damage(world: PlayedWorld): void {
  world.aws.tags.get('subnet-1')?.delete('karpenter.sh/discovery')
  world.aws.tags.get('subnet-2')?.set('karpenter.sh/discovery', 'another-cluster-with-a-long-name')
  const path = '/apis/karpenter.sh/v1/nodepools/default'
  const pool = world.server.at(path)
  if (pool !== undefined) world.server.put(path, { ...pool, spec: { ...spec(pool), limits: { cpu: '4' } } })
}

function spec(of: object): object {
  return 'spec' in of && typeof of.spec === 'object' && of.spec !== null ? of.spec : {}
}

async function failures(): Promise<readonly PageText[]> {
  const world = await PlayedWorld.start()
  try {
    const inputs = await world.main({ timeout: 'soon', 'node-pools': '{kind: Nothing}', 'fail-on': 'all' })
    world.helm.fails = 'the chart has no such value'
    const half = await world.main()
    return [
      { name: 'wrong inputs', markdown: inputs.summary, drawn: false },
      { name: 'failed install', markdown: half.summary, drawn: true }
    ]
  } finally {
    await world.stop()
  }
}
