import type { Finding } from '../../src/engine/findings.js'
import type { IgnoredField } from '../../src/engine/ignore.js'
import { issuesOf } from '../../src/github/issues.js'
import { driftIssue } from '../../src/report/drift-issue.js'
import {
  driftLabel,
  type IssueOutcome,
  keepIssue,
  markerOf,
  mostCharacters
} from '../../src/report/kept-issue.js'
import { type GitHubApi, startGitHubApi } from '../../sandbox/runner/github-api.js'
import { finding } from './finding.js'

const repository = 'octo-org/octo-repo'
const cluster = {
  name: 'prod',
  region: 'eu-west-1',
  arn: 'arn:aws:eks:eu-west-1:111122223333:cluster/prod'
}
const run = 'https://github.com/octo-org/octo-repo/actions/runs/7'
const other: Finding = { ...finding, path: 'spec.limits.memory' }

let github: GitHubApi
let pauses: number[]

beforeEach(async () => {
  github = await startGitHubApi([repository])
  pauses = []
})
afterEach(async () => github.stop())

async function keep(
  findings: readonly Finding[],
  options: {
    fails?: boolean
    token?: string
    repository?: string
    apiUrl?: string
    arn?: string
    ignored?: readonly IgnoredField[]
  } = {}
): Promise<IssueOutcome> {
  const issues = issuesOf({
    apiUrl: options.apiUrl ?? github.url,
    repository: options.repository ?? repository,
    token: options.token ?? github.token,
    pause: async (milliseconds) => {
      pauses.push(milliseconds)
      return Promise.resolve()
    }
  })
  const wanted = driftIssue({
    findings,
    ignored: options.ignored ?? [],
    fails: options.fails ?? findings.length > 0,
    cluster: { ...cluster, arn: options.arn ?? cluster.arn },
    run
  })
  return keepIssue(issues, wanted)
}

function only(): ReturnType<GitHubApi['issues']>[number] {
  const [issue, ...more] = github.issues()
  if (issue === undefined || more.length > 0) throw new Error(`${more.length} issues more than one`)
  return issue
}

/** The block of the one finding, a line each. */
function blockOf(body: string): readonly string[] {
  return body.split('\n').filter((line) => /^ *- /.test(line))
}

async function warningOf(...given: Parameters<typeof keep>): Promise<string> {
  const outcome = await keep(...given)
  return outcome.kind === 'failed' ? outcome.warning : outcome.kind
}

describe('keepIssue: the life of an issue', () => {
  it('opens none while all is well', async () => {
    expect(await keep([])).toEqual({ kind: 'none' })
    expect(github.issues()).toEqual([])
  })

  it('opens one with label, verdict, values, who did it, and what install would do', async () => {
    const outcome = await keep([finding])
    expect(outcome).toEqual({ kind: 'opened', url: `https://github.com/${repository}/issues/1` })
    expect(only()).toMatchObject({
      title: 'Karpenter on prod (eu-west-1) has drifted',
      state: 'open',
      labels: [driftLabel]
    })
    const { body } = only()
    expect(body.split('\n')[0]).toContain('is not as it was installed: 1 drift.')
    expect(body).toContain(`\n${markerOf(cluster.arn)}\n`)
    expect(blockOf(body)).toEqual([
      '- **NodePool default** `spec.limits.cpu`: drift, breaks scaling',
      '  - spec.limits.cpu is "4", not "1000"',
      '  - was `1000` → is `4`',
      '  - by kubectl-edit, Update, 2026-11-24T10:00:00Z',
      '  - install would change it back to 1000'
    ])
    expect(body).toContain(run)
    expect(body).toContain('`mode: install`')
  })

  it('says of what could not be read which permission is missing', async () => {
    const missingPermission = 'iam:GetRole'
    await keep([{ ...finding, kind: 'unknown', live: undefined, reason: 'access denied', missingPermission }])
    expect(only().body).toContain('  - access denied (missing: iam:GetRole)\n')
  })

  it('says of two long documents where they differ, and why, whatever the order of keys', async () => {
    const document = (actions: readonly string[], first: string): unknown => ({
      [first]: '2012-10-17',
      Statement: [
        { Sid: 'Read', Effect: 'Allow', Action: ['ec2:DescribeInstances'], Resource: '*' },
        { Sid: 'Write', Action: actions, Resource: ['arn:aws:ec2:*:*:instance/*'], Effect: 'Allow' }
      ],
      Version: '2012-10-17'
    })
    const recorded = document(['ec2:CreateFleet', 'ec2:RunInstances'], 'Version')
    const live = document(['ec2:CreateFleet'], 'Version')
    const reason = 'statement Write of the policy lacks Action: ec2:RunInstances'
    await keep([{ ...finding, path: 'document', reason, recorded, live, wanted: recorded }])
    expect(blockOf(only().body).slice(1, 3)).toEqual([
      '  - statement Write of the policy lacks Action: ec2:RunInstances',
      '  - `Statement[Write].Action` lacks `ec2:RunInstances`'
    ])
  })

  it('has the gravest first, and the advice of what does not work folded after its first sentence', async () => {
    const minor: Finding = { ...finding, severity: 'cosmetic', path: 'metadata.labels.team' }
    const sick: Finding = {
      ...finding,
      kind: 'unhealthy',
      path: '',
      reason: 'no pod is ready',
      install: `not mend it. Look at \`kubectl logs\`. ${'Then ask. '.repeat(30)}`
    }
    await keep([minor, sick])
    const block = blockOf(only().body)
    expect(block[0]).toBe('- **NodePool default**: unhealthy, breaks scaling')
    expect(block[3]).toMatch(
      /^ {2}- <details><summary>install would not mend it\.<\/summary>Look at <code>kubectl logs<\/code>\.<br>Then ask/
    )
    expect(block.at(-5)).toContain('metadata.labels.team')
  })

  it('lists what is ignored, folded, and opens none for it', async () => {
    const ignored = [
      {
        id: 'node-pool/batch',
        title: 'NodePool batch',
        layer: 'karpenter' as const,
        path: 'spec.limits.cpu',
        difference: 'spec.limits.cpu is "9", not "1000"',
        reason: 'raised by hand'
      }
    ]
    expect(await keep([], { ignored })).toEqual({ kind: 'none' })
    await keep([finding], { ignored })
    expect(only().body).toContain(
      '<details><summary>1 ignored</summary>\n\n- NodePool batch: spec.limits.cpu is "9", not "1000" (raised by hand)\n'
    )
    expect(only().body.split('\n')[0]).toContain('1 drift.')
  })

  it('updates the body in place and comments only when other findings are there', async () => {
    await keep([finding])
    expect(await keep([{ ...finding, live: '5' }])).toMatchObject({ kind: 'updated' })
    expect(only().body).toContain('`5`')
    expect(github.comments()).toEqual([])
    await keep([finding, other])
    expect(github.comments()).toHaveLength(1)
    expect(github.comments()[0]?.body).toContain('spec.limits.memory')
    await keep([other, finding])
    expect(github.comments()).toHaveLength(1)
  })

  it('closes it with a comment when the drift is gone, and reopens the same one when it comes back', async () => {
    await keep([finding])
    expect(await keep([])).toMatchObject({ kind: 'closed' })
    expect(only().state).toBe('closed')
    expect(github.comments().map(({ body }) => body)).toEqual([
      `Nothing drifts any more, and what is installed works, as ${run} has seen.`
    ])
    expect(await keep([])).toEqual({ kind: 'none' })
    expect(await keep([finding])).toMatchObject({ kind: 'reopened' })
    expect(only().state).toBe('open')
    expect(github.comments()).toHaveLength(2)
  })

  it('keeps it open while drift is found that does not fail the check, and closes it over what is pending', async () => {
    await keep([finding])
    await keep([finding], { fails: false })
    expect(only().state).toBe('open')
    for (const kind of ['unknown', 'unhealthy'] as const) {
      await keep([{ ...finding, kind }], { fails: false })
      expect(only().state).toBe('open')
    }
    await keep([{ ...finding, kind: 'pending' }], { fails: false })
    expect(only().state).toBe('closed')
    expect(github.comments().at(-1)?.body).toContain('1 pending')
  })

  it('finds it by its marker after a person has edited it in the browser', async () => {
    const body = `Looking at it.\r\n\r\n${markerOf(cluster.arn)}\r\nmore`
    github.put({ body, labels: [driftLabel, 'mine'], title: 'Renamed' })
    expect(await keep([finding])).toMatchObject({ kind: 'updated' })
    expect(only().labels).toEqual([driftLabel, 'mine'])
  })

  it.each([
    ['open', 'closed', 1],
    ['closed', 'open', 2]
  ] as const)('goes on with the open one of two, %s and %s', async (first, second, number) => {
    for (const state of [first, second])
      github.put({ body: markerOf(cluster.arn), labels: [driftLabel], state })
    expect(await keep([finding])).toMatchObject({
      kind: 'updated',
      url: `https://github.com/${repository}/issues/${number}`
    })
    expect(github.issues().filter(({ state }) => state === 'open')).toHaveLength(1)
  })
})

describe('keepIssue: what is not its own', () => {
  it("leaves other clusters' issues, people's issues and pull requests alone, over all pages", async () => {
    github.put({ body: markerOf(`${cluster.arn}-2`), labels: [driftLabel] })
    github.put({ body: `see "${markerOf(cluster.arn)}" in #1`, labels: [driftLabel] })
    github.put({ body: markerOf(cluster.arn), labels: [driftLabel], pullRequest: true })
    github.put({ body: markerOf(cluster.arn), labels: [] })
    const before = github.issues()
    await keep([])
    expect(await keep([finding])).toMatchObject({ kind: 'opened' })
    expect(github.issues().slice(0, -1)).toEqual(before)
    // Its own is now the oldest of more than a page.
    for (let i = 0; i < 230; i++) github.put({ labels: [driftLabel] })
    expect(await keep([finding])).toMatchObject({ kind: 'updated' })
    expect(github.requests.filter((line) => line.startsWith('POST'))).toHaveLength(1)
  })
})

describe('keepIssue: values of the cluster', () => {
  it('lets none of them mention, link, end its line, or be HTML', async () => {
    const evil = '@octo-org/admins `x` \\| | <img src=x> --> #12 [a](http://b)\r\n\n| new | row'
    await keep([{ ...finding, title: evil, live: evil, path: evil, by: { manager: evil }, install: evil }])
    const row = blockOf(only().body).join('\n')
    expect(row.split('\n')).toHaveLength(5)
    expect(row.replaceAll(/<\/?code>|`1000`/g, '')).not.toMatch(/[<>`\\[\]@|]|:\/\//)
    // Outside of code, where GitHub would look for them, names and numbers are apart from their sign.
    expect(row.replaceAll(/<code>.*?<\/code>/g, '')).not.toMatch(/&#(64|35);(?!&#8203;)/)
    expect(only().body).not.toContain('\r')
  })

  it('takes no marker from a value', async () => {
    const live = `x\n${markerOf('arn:other')}\n`
    await keep([{ ...finding, live }])
    expect(await keep([finding], { arn: 'arn:other' })).toMatchObject({ kind: 'opened' })
    expect(github.issues()).toHaveLength(2)
  })

  it('cuts a body that GitHub would refuse, with a pointer to the run', async () => {
    const many = Array.from({ length: 3000 }, (_, index) => ({ ...finding, id: `node-pool/${index}` }))
    expect(await keep(many)).toMatchObject({ kind: 'opened' })
    const { body } = only()
    expect(body.length).toBeLessThanOrEqual(mostCharacters)
    expect(body.length).toBeGreaterThan(mostCharacters - 1000)
    expect(body).toMatch(/and \d+ more, in the report of https/)
    expect(body).toContain('3000 drift')
    await keep([])
    expect(await keep(many)).toMatchObject({ kind: 'reopened' })
  })
})

describe('keepIssue: what GitHub refuses', () => {
  it('names the fix for a bad token, a missing permission, an unknown repository and disabled issues', async () => {
    expect(await warningOf([finding], { token: 'ghs_old' })).toMatch(/Bad credentials.*github-token: \$/)
    expect(await warningOf([finding], { repository: 'octo-org/other' })).toMatch(
      /Not Found.*`permissions: issues: write`/
    )
    github.setFault({ kind: 'no write' })
    expect(await warningOf([finding])).toMatch(/not accessible by integration.*`permissions: issues: write`/)
    github.setFault({ kind: 'issues disabled' })
    expect(await warningOf([finding])).toMatch(/disabled.*turn on issues/)
    expect(github.issues()).toEqual([])
    expect(pauses).toEqual([])
  })

  it('says so when GitHub cannot be reached', async () => {
    github.setFault({ kind: 'drop' })
    expect(await warningOf([finding])).toMatch(/could not be kept.*GITHUB_API_URL/)
  })

  it('waits as long as a secondary rate limit asks, but not longer than a minute', async () => {
    github.setFault({ kind: 'secondary rate limit', times: 1, retryAfter: 7 })
    expect(await keep([finding])).toMatchObject({ kind: 'opened' })
    expect(pauses).toEqual([7000])
    github.setFault({ kind: 'secondary rate limit', times: 1, retryAfter: 600 })
    expect(await warningOf([finding])).toMatch(/secondary rate limit.*next run/)
    expect(pauses).toEqual([7000])
  })

  it('tries again after a 5xx, a few times', async () => {
    github.setFault({ kind: 'status', status: 502, times: 2 })
    expect(await keep([finding])).toMatchObject({ kind: 'opened' })
    expect(pauses).toEqual([1000, 2000])
    github.setFault({ kind: 'status', status: 502, times: 9 })
    expect(await warningOf([finding])).toContain('HTTP 502')
    expect(pauses).toHaveLength(5)
  })

  it('does not create or comment twice after a 5xx that may have been too late', async () => {
    await keep([])
    github.setFault({ kind: 'status', status: 500, times: 9, method: 'POST' })
    expect(await warningOf([finding])).toContain('HTTP 500')
    expect(github.requests.filter((line) => line.startsWith('POST'))).toHaveLength(1)
  })

  it('warns of an issue whose label GitHub has dropped', async () => {
    github.setFault({ kind: 'labels dropped' })
    expect(await warningOf([finding])).toMatch(/issues\/1 was opened without its label; set the label/)
  })
})
