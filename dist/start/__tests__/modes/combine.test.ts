import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  reports: Readonly<Record<string, string>>
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
      GITHUB_WORKFLOW: 'Clusters'
    },
    runner: {
      ...core,
      getInput: (name) => {
        const { default: standard } = mapAt(inputs, name)
        return given[name] ?? (typeof standard === 'string' ? standard : '')
      },
      info: (line) => void log.push(line),
      warning: (line) => void warnings.push(line),
      startGroup: () => undefined,
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
    session: () => {
      throw new Error('mode combine opened a connection')
    }
  }
  await main(ports)
  const output = readFileSync(join(folder, 'output'), 'utf8')
  const path = join(folder, 'setup-karpenter-clusters.json')
  const combined: unknown = failed === undefined ? JSON.parse(readFileSync(path, 'utf8')) : undefined
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

test('keeps one issue over all of them, and masks the token', async () => {
  const given = { mode: 'combine', 'drift-issue': 'true', 'github-token': github.token }
  const ended = await combine(given, reports)
  expect([ended.failed, ended.warnings, ended.secrets]).toEqual([undefined, [], [github.token]])
  expect(github.issues()).toMatchObject([{ state: 'open', title: 'Karpenter: clusters need a look' }])
  await combine(given, { 'reports/a/green.json': reportOf('green', 0) })
  expect(github.issues()).toMatchObject([{ state: 'closed' }])
})

test('refuses to combine nothing, and says what is wrong with its inputs', async () => {
  expect((await combine({ mode: 'combine' }, {})).failed).toContain(
    'reports: "reports/**/*.json" matches no file'
  )
  expect((await combine({ mode: 'combine', clusters: '{}' }, reports)).failed).toContain('clusters: ')
})
