import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@actions/core'
import { load } from 'js-yaml'
import { type GitHubApi, startGitHubApi } from '../../sandbox/runner/github-api.js'
import { isMap, mapAt } from '../../src/engine/json.js'
import { main } from '../../src/main.js'
import { type Ports, runnerPorts } from '../../src/run/ports.js'

const repository = 'octo-org/octo-repo'
let folder: string
let github: GitHubApi

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'combine-'))
  process.env['GITHUB_OUTPUT'] = join(folder, 'output')
  writeFileSync(join(folder, 'output'), '')
  github = await startGitHubApi([repository])
})
afterEach(async () => {
  delete process.env['GITHUB_OUTPUT']
  rmSync(folder, { recursive: true, force: true })
  await github.stop()
})

interface Ended {
  readonly failed: string | undefined
  readonly log: readonly string[]
  readonly warnings: readonly string[]
  readonly secrets: readonly string[]
  readonly summary: string
  readonly output: string
  readonly combined: unknown
}

function reportOf(name: string, drift: number): string {
  return JSON.stringify({
    schema: 'setup-karpenter/report/v1',
    mode: 'check',
    result: drift === 0 ? 'succeeded' : 'failed',
    headline: drift === 0 ? 'all as installed' : `${drift} drift`,
    startedAt: '2026-11-30T05:17:00.000Z',
    seconds: 2,
    cluster: { name, region: 'eu-west-1' },
    counts: { drift, unhealthy: 0, pending: 0, unknown: 0 }
  })
}

async function combine(
  given: Readonly<Record<string, string>>,
  reports: Readonly<Record<string, string>>,
  other: Partial<Pick<Ports, 'env' | 'appendSummary'>> = {}
): Promise<Ended> {
  const inputs = mapAt(load(readFileSync('action.yml', 'utf8')), 'inputs')
  const log: string[] = []
  const warnings: string[] = []
  const secrets: string[] = []
  let failed: string | undefined
  let summary = ''
  const ports: Ports = {
    ...runnerPorts(),
    env: {
      RUNNER_TEMP: folder,
      GITHUB_API_URL: github.url,
      GITHUB_REPOSITORY: repository,
      GITHUB_WORKFLOW: 'Clusters',
      ...other.env
    },
    runner: {
      ...core,
      getInput: (name) => {
        const { default: standard } = mapAt(inputs, name)
        return given[name] ?? (typeof standard === 'string' ? standard : '')
      },
      info: (line) => void log.push(line),
      warning: (line) => void warnings.push(line),
      startGroup: (name) => void log.push(`::group::${name.replace(/[\d.]+ s/, 'N s')}`),
      endGroup: () => undefined,
      setSecret: (secret) => void secrets.push(secret),
      setFailed: (message) => (failed = message)
    },
    readFile: (path) => {
      const text = reports[path]
      if (text === undefined) throw new Error('no such file')
      return text
    },
    findFiles: () => Object.keys(reports),
    appendSummary: async (text) => Promise.resolve(void (summary += text)),
    ...('appendSummary' in other && { appendSummary: other.appendSummary }),
    session: () => {
      throw new Error('mode combine opened a connection')
    }
  }
  await main(ports)
  const output = readFileSync(join(folder, 'output'), 'utf8')
  const path = join(folder, 'setup-karpenter-clusters.json')
  const combined: unknown = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
  return { failed, log, warnings, secrets, summary, output, combined }
}

const reports = { 'reports/a/green.json': reportOf('green', 0), 'reports/b/blue.json': reportOf('blue', 2) }
const clusters = JSON.stringify([
  { name: 'green', region: 'eu-west-1' },
  { name: 'blue', region: 'eu-west-1' },
  { name: 'red', region: 'us-east-1', wave: 1 }
])

test('writes one table of all clusters, in the log, the summary, the output and a file, and connects to none', async () => {
  const ended = await combine({ mode: 'combine', clusters }, reports)
  expect([ended.failed, ended.warnings]).toEqual([undefined, []])
  expect(ended.log).toEqual([
    '::group::Clusters (N s)',
    expect.stringMatching(/^red \(us-east-1\): no report; its job ended before/),
    'blue (eu-west-1): 2 drift',
    'green (eu-west-1): all as installed',
    '2 need a look'
  ])
  expect(ended.summary.split('\n')[0]).toBe('## Karpenter on 3 clusters: 2 need a look')
  expect(ended.combined).toMatchObject({
    schema: 'setup-karpenter/clusters/v1',
    clusters: [
      { name: 'red', state: 'no report' },
      { name: 'blue', state: 'drift' },
      { name: 'green', state: 'well' }
    ]
  })
  const rows: unknown = isMap(ended.combined) ? ended.combined['clusters'] : undefined
  expect(ended.output).toContain(JSON.stringify(rows))
  expect(ended.output).toContain(join(folder, 'setup-karpenter-clusters.json'))
  expect(github.issues()).toEqual([])
})

test('nobody but the user of the runner reads the file, and nothing keeps the process alive', async () => {
  const alive = () => [
    process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length,
    process.listenerCount('SIGINT')
  ]
  const before = alive()
  await combine({ mode: 'combine' }, reports)
  expect(statSync(join(folder, 'setup-karpenter-clusters.json')).mode & 0o777).toBe(0o600)
  expect(alive()).toEqual(before)
})

test('summary: false writes none, and a runner without summary and folder still gets the output', async () => {
  expect((await combine({ mode: 'combine', summary: 'false' }, reports)).summary).toBe('')
  rmSync(join(folder, 'setup-karpenter-clusters.json'))
  writeFileSync(join(folder, 'output'), '')
  const bare = await combine({ mode: 'combine' }, reports, {
    env: { RUNNER_TEMP: undefined },
    appendSummary: undefined
  })
  expect([bare.failed, bare.combined, bare.warnings]).toEqual([undefined, undefined, []])
  expect(bare.output).toContain('"name":"blue"')
  expect(bare.output).not.toContain('report<<')
})

describe('the issue over all clusters', () => {
  const given = () => ({ mode: 'combine', 'drift-issue': 'true', 'github-token': github.token })
  const well = { 'reports/a/green.json': reportOf('green', 0) }
  const said = ({ log }: Ended) => log.slice(log.indexOf('::group::Issue (N s)'))

  it('is one, which the log names each time that something becomes of it; the token is masked', async () => {
    const ended = await combine(given(), reports)
    expect([ended.failed, ended.warnings, ended.secrets]).toEqual([undefined, [], [github.token]])
    expect(github.issues()).toMatchObject([{ state: 'open', title: 'Karpenter: clusters need a look' }])
    expect(said(ended)).toEqual(['::group::Issue (N s)', expect.stringMatching(/^opened http/)])
    expect(github.issues()[0]?.body).toContain('Clusters')
    expect(said(await combine(given(), well)).at(-1)).toMatch(/^closed http/)
    expect(github.issues()).toMatchObject([{ state: 'closed' }])
    const still = await combine(given(), well)
    expect([still.log.at(-1), still.warnings]).toEqual(['all well', []])
  })

  it('is of a workflow without a name as well', async () => {
    await combine(given(), reports, { env: { GITHUB_WORKFLOW: undefined } })
    expect(github.issues()[0]?.body).toContain('this workflow')
  })

  it('that GitHub does not take is a warning, and the table is there all the same', async () => {
    github.setFault({ kind: 'no write' })
    const ended = await combine(given(), reports)
    expect(ended.failed).toBeUndefined()
    expect(ended.warnings).toEqual([expect.stringMatching(/^drift-issue: .*issues: write/)])
    expect(ended.log.at(-1)).toBe('1 needs a look')
    expect(ended.summary).toContain('Karpenter on 2 clusters')
  })

  it('outside of a workflow is none, with a warning that names the input', async () => {
    const ended = await combine(given(), reports, { env: { GITHUB_REPOSITORY: undefined } })
    expect(ended.warnings).toEqual([expect.stringMatching(/^drift-issue: GITHUB_REPOSITORY is not set/)])
    expect([ended.failed, github.requests]).toEqual([undefined, []])
  })
})

test('refuses to combine nothing, and says what is wrong with its inputs', async () => {
  expect((await combine({ mode: 'combine' }, {})).failed).toContain(
    'reports: "reports/**/*.json" matches no file'
  )
  expect((await combine({ mode: 'combine', clusters: '{}' }, reports)).failed).toContain('clusters: ')
  const none = await combine({ mode: 'combine', reports: ',' }, reports)
  expect(none.failed).toMatch(/^setup-karpenter: reports: no cluster has reported\n/)
  expect(none.failed).toContain('run this job with `if: !cancelled()`')
  expect(none.failed).toContain('Nothing was changed.')
})
