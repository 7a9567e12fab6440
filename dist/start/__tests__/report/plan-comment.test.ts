import { type GitHubApi, startGitHubApi } from '../../sandbox/runner/github-api.js'
import type { Difference } from '../../src/engine/difference.js'
import { commentsOf } from '../../src/github/comments.js'
import { type InstallPlan, planSchema } from '../../src/report/install-plan.js'
import { keepPlanComment, type PlanCommentOutcome } from '../../src/report/plan-comment.js'
import { planMarker, type PlanSaid } from '../../src/report/plan-comment-body.js'

const repository = 'octo-org/octo-repo'
const cluster = { account: '111122223333', region: 'eu-west-1', name: 'prod' }
const run = 'https://github.com/octo-org/octo-repo/actions/runs/7'

let github: GitHubApi
beforeEach(async () => {
  github = await startGitHubApi([repository])
  github.put({ pullRequest: true })
})
afterEach(async () => github.stop())

async function keep(
  said: PlanSaid,
  { of = cluster, apiUrl = github.url }: { of?: typeof cluster; apiUrl?: string } = {}
): Promise<PlanCommentOutcome> {
  const access = { apiUrl, repository, token: github.token, pause: async () => Promise.resolve() }
  return keepPlanComment({ comments: commentsOf(access, 1), repository, cluster: of, said, run })
}

function planOf(resources: InstallPlan['resources'], more: Partial<InstallPlan> = {}): PlanSaid {
  return {
    kind: 'plan',
    upgrade: undefined,
    ignored: [],
    notes: [],
    plan: {
      schema: planSchema,
      cluster: { name: 'prod', region: 'eu-west-1' },
      karpenter: { wanted: '1.14.1' },
      changes: resources.length,
      resources,
      asWanted: 3,
      refusals: [],
      ignored: 0,
      smokeTestPods: 0,
      ...more
    }
  }
}

function pool(name: string, reasons: readonly string[] = []): InstallPlan['resources'][number] {
  const differences = reasons.map((reason): Difference => ({
    path: 'x',
    wanted: 1,
    live: 2,
    reason,
    severity: 'changes behaviour'
  }))
  const action = reasons.length === 0 ? 'create' : 'change'
  return { id: `node-pool/${name}`, title: `NodePool ${name}`, layer: 'karpenter', action, differences }
}

const some = planOf([pool('default'), pool('gpu', ['spec.limits.cpu is 5, not 9'])])
const nothing = planOf([])

function bodies(): readonly string[] {
  return github.comments().map(({ body }) => body)
}

describe('the comment of a plan', () => {
  it('is not written while there is nothing to say', async () => {
    expect(await keep(nothing)).toEqual({ kind: 'none' })
    expect(bodies()).toEqual([])
  })

  it('is written once, edited in place, and struck out when nothing is to be changed', async () => {
    const url = `https://github.com/${repository}/issues/1#issuecomment-1`
    expect(await keep(some)).toEqual({ kind: 'created', url })
    expect(bodies()[0]).toBe(
      [
        '### Karpenter on `prod` (eu-west-1): 1 resource to make, 1 to change',
        '<!-- setup-karpenter plan: 111122223333 eu-west-1 prod -->',
        '',
        '- change **NodePool gpu**',
        '  - spec.limits.cpu is 5, not 9',
        '',
        '- create **NodePool default**',
        '',
        '3 resources are as wanted. No smoke test would follow.',
        '',
        `Nothing was written. Seen by ${run}, whose summary and report have every detail.`,
        ''
      ].join('\n')
    )
    expect(await keep(planOf([pool('default')]))).toEqual({ kind: 'updated', url })
    expect(bodies()).toEqual([expect.stringContaining('eu-west-1): 1 resource to make\n')])
    expect(await keep(nothing)).toEqual({ kind: 'struck out', url })
    expect(bodies()).toEqual([expect.stringContaining('~~What an earlier commit')])
    expect(await keep(some)).toEqual({ kind: 'updated', url })
  })

  it('is one for each cluster, also of one name in another account or region', async () => {
    const clusters = [
      cluster,
      { ...cluster, name: 'test' },
      { ...cluster, region: 'us-east-1' },
      { ...cluster, account: '444455556666' }
    ]
    for (const of of [...clusters, ...clusters]) await keep(some, { of })
    expect(bodies()).toHaveLength(4)
  })

  it("is never a stranger's, or one that only quotes the marker", async () => {
    const marker = planMarker(cluster)
    github.putComment({ issue: 1, body: marker })
    github.putComment({ issue: 1, body: `see ${marker} here`, association: 'OWNER' })
    for (let i = 0; i < 120; i++) github.putComment({ issue: 1, body: `talk ${i}` })
    await keep(some)
    await keep(some)
    expect(bodies().slice(0, 2)).toEqual([marker, `see ${marker} here`])
    expect(bodies()).toHaveLength(123)
  })

  it('says why an install would be refused, and that a plan failed', async () => {
    await keep(planOf([], { refusals: ['subnets: none has a free address'] }))
    expect(bodies()[0]).toContain('prod` (eu-west-1): an install would be refused')
    expect(bodies()[0]).toContain('\n> subnets: none has a free address\n')
    await keep({ kind: 'failure', error: 'setup-karpenter: x: ``` @octocat' })
    expect(bodies()[0]).toContain('the plan failed')
    expect(bodies()[0]).toContain('\n> **x**: &#96;&#96;&#96; &#64;&#8203;octocat\n')
  })

  it('has what the preflight notes, folded', async () => {
    const note = { check: 'network', level: 'note' as const, subject: 'subnets', evidence: '' }
    const notes = [
      { ...note, problem: 'subnet-2 is public', fix: 'Pass `subnets: private`.' },
      { ...note, level: 'warning' as const, problem: 'else', fix: 'none' }
    ]
    await keep(some.kind === 'plan' ? { ...some, notes } : some)
    expect(bodies()[0]).toContain(
      '<details><summary>1 note</summary>\n\n- **subnets**: subnet-2 is public\n  - Pass <code>subnets: private</code>.\n\n</details>'
    )
  })

  it('takes nothing that the cluster wrote for Markdown', async () => {
    await keep(planOf([pool('gpu', ['spec.x is "<img src=x> @octocat #1 | ![](http://x)"'])]))
    expect(bodies()[0]).not.toMatch(/<img|@octocat|#1 |!\[/)
  })

  it("folds what is long, is cut between resources within GitHub's limit, and says so", async () => {
    const names = Array.from({ length: 13 }, (_, index) => `pool-${index}`)
    await keep(planOf(names.map((name) => pool(name))))
    expect(bodies()[0]).toContain('<details><summary>13 to make</summary>\n\n- create **NodePool pool-0**')
    const many = Array.from({ length: 400 }, (_, index) => pool(`p${index}`, ['x'.repeat(380)]))
    await keep(planOf(many))
    const [body = ''] = bodies()
    expect(body.length).toBeLessThan(65_536)
    expect(body.length).toBeGreaterThan(50_000)
    const shown = body.match(/^- change/gm)?.length ?? 0
    expect(body).toContain(`**Cut**: ${400 - shown + 1} more do not fit into a comment.`)
    expect(body).toContain('400 resources to change')
    expect(body.match(/<details>/g)).toHaveLength(1)
    expect(body.match(/<\/details>/g)).toHaveLength(1)
    expect(body).toContain(`Seen by ${run}`)
  })
})

describe('what goes wrong with it', () => {
  it('is a note where the token may not write, as that of a fork', async () => {
    github.setFault({ kind: 'no write' })
    expect(await keep(some)).toEqual({
      kind: 'not allowed',
      note: expect.stringMatching(
        /not accessible by integration.*`permissions: pull-requests: write`.*forks/
      ) as unknown
    })
    github.setFault({ kind: 'status', status: 404, times: 9 })
    expect((await keep(some)).kind).toBe('not allowed')
  })

  it('is a warning where GitHub has trouble', async () => {
    github.setFault({ kind: 'status', status: 502, times: 9 })
    expect((await keep(some)).kind).toBe('failed')
    github.setFault({ kind: 'drop' })
    expect(await keep(some)).toEqual({
      kind: 'failed',
      warning: expect.stringContaining('see that the runner reaches GITHUB_API_URL') as unknown
    })
  })
})
