import { type Ended, PlayedWorld } from '../../__tests__/modes/played-run.js'
import { type GitHubApi, startGitHubApi } from '../../sandbox/runner/github-api.js'
import { mapAt } from '../../src/engine/json.js'
import { clusterRows } from '../../src/report/clusters.js'
import { clustersIssue, clustersText } from '../../src/report/clusters-summary.js'

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
    return [...(await lifeOf(github)), ...(await adoption()), ...(await failures())]
  } finally {
    await github.stop()
  }
}

/** One installation from its plan to its end. */
async function lifeOf(github: GitHubApi): Promise<readonly PageText[]> {
  const world = await PlayedWorld.start()
  const pages: PageText[] = []
  const reports: Ended['report'][] = []
  const token = { 'github-token': github.token }
  const env = { GITHUB_API_URL: github.url, GITHUB_REPOSITORY: repository }
  const add = (name: string, markdown: string, drawn = false): void =>
    void pages.push({ name, markdown, drawn })
  const run = async (name: string, ...given: Parameters<PlayedWorld['main']>): Promise<void> => {
    const { summary, report, outputs } = await world.main(...given)
    reports.push(report)
    add(name, summary, outputs['changed'] === 'true' || given[0]?.['mode'] === 'smoke-test')
  }
  try {
    github.put({ pullRequest: true })
    const onPullRequest = { ...env, GITHUB_REF: 'refs/pull/1/merge' }
    const plan = async (what: string): Promise<void> => {
      await run(`plan of ${what}`, { mode: 'plan', comment: 'true', ...token }, { env: onPullRequest })
      add(`comment of ${what}`, github.comments()[0]?.body ?? '')
    }
    await plan('a first install')
    await run('install')
    await run('install again', quick)
    await run('check', { mode: 'check' })
    // The comment that is there is struck out, and then edited again.
    await plan('nothing')
    damage(world)
    await plan('drift')
    const ignore = '[{resource: "subnet-tags", field: "subnet-1.*", reason: "moved by hand, to be undone"}]'
    await run('check of drift', { mode: 'check', 'drift-issue': 'true', ignore, ...token }, { env })
    add('drift issue', github.issues().find(({ title }) => title.includes('drifted'))?.body ?? '')
    await run('smoke test', { mode: 'smoke-test' })
    await run('uninstall', { mode: 'uninstall' })
    await run('uninstall again', { mode: 'uninstall' })
    return [...pages, ...clustersPages(reports)]
  } finally {
    await world.stop()
  }
}

/** Of an installation that somebody else has made: what a check says of it, the refusal, and the taking over. */
async function adoption(): Promise<readonly PageText[]> {
  const world = await PlayedWorld.start()
  try {
    await world.main(quick)
    world.server.remove('/api/v1/namespaces/kube-system/configmaps/setup-karpenter')
    world.helm.disown({})
    world.aws.tags.get('subnet-1')?.delete('karpenter.sh/discovery')
    limit(world)
    const check = await world.main({ mode: 'check' })
    const refused = await world.main(quick)
    const adopted = await world.main({ ...quick, adopt: 'true' })
    const uninstall = await world.main({ mode: 'uninstall' })
    return [
      { name: 'check before an adoption', markdown: check.summary, drawn: false },
      { name: 'adoption refused', markdown: refused.summary, drawn: false },
      { name: 'adoption', markdown: adopted.summary, drawn: true },
      { name: 'uninstall of what was adopted', markdown: uninstall.summary, drawn: true }
    ]
  } finally {
    await world.stop()
  }
}

/** The same reports as those of as many clusters. */
function clustersPages(reports: readonly Ended['report'][]): readonly PageText[] {
  const texts = reports.map((report = {}, index) => {
    const cluster = { ...mapAt(report, 'cluster'), name: `production-${index}` }
    return { source: `${index}.json`, text: JSON.stringify({ ...report, cluster }) }
  })
  const rows = clusterRows(texts, [{ name: 'never-reported', region: 'eu-west-1' }])
  const issue = clustersIssue(rows, 'Clusters', 'https://github.com/org/repo/actions/runs/1')
  return [
    { name: 'clusters', markdown: clustersText(rows), drawn: false },
    { name: 'issue of clusters', markdown: issue.body, drawn: false }
  ]
}

/** What people do to it by hand. */
function damage(world: PlayedWorld): void {
  world.aws.tags.get('subnet-1')?.delete('karpenter.sh/discovery')
  world.aws.tags.get('subnet-2')?.set('karpenter.sh/discovery', 'another-cluster-with-a-long-name')
  limit(world)
}

function limit(world: PlayedWorld): void {
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
