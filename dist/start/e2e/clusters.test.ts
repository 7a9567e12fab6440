import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type ActionResult, type Sandbox, startSandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { reportOf, succeeded } from './scenario.js'
import { type Contexts, Workflow } from './workflow.js'

const clusters = new Workflow('.github/workflows/clusters.yml')
const wave = new Workflow('.github/workflows/cluster-wave.yml')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'clusters-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** As a workflow is called with these; what is left out has its default. */
function called(given: Readonly<Record<string, unknown>>): Contexts {
  return { inputs: { ...clusters.inputs(), ...given } }
}

function waves(given: Readonly<Record<string, unknown>>): ReturnType<typeof Workflow.script> {
  return Workflow.script(clusters.step('waves', 'Read the list'), called(given), folder)
}

describe('the list of clusters', () => {
  const green = { name: 'green', region: 'eu-west-1', role: 'arn:aws:iam::111122223333:role/x' }

  test('is told apart by waves, with the inputs of all under those of each', () => {
    const given = [
      { ...green, inputs: { subnets: 'private', 'smoke-test': false, tags: 'a=b\nc=d' } },
      { ...green, name: 'blue', wave: 1, environment: 'canary' }
    ]
    writeFileSync(join(folder, 'clusters.json'), JSON.stringify(given))
    const { status, outputs } = waves({
      'clusters-file': 'clusters.json',
      shared: '{"subnets": "cluster", "smoke-test-replicas": 2}'
    })
    expect(status).toBe(0)
    const read = Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, JSON.parse(value)]))
    expect(read).toEqual({
      all: [
        { name: 'green', region: 'eu-west-1' },
        { name: 'blue', region: 'eu-west-1' }
      ],
      first: [
        {
          ...green,
          name: 'blue',
          wave: 1,
          environment: 'canary',
          inputs: { subnets: 'cluster', 'smoke-test-replicas': '2' }
        }
      ],
      second: [],
      last: [
        {
          ...green,
          wave: 3,
          environment: '',
          inputs: { subnets: 'private', 'smoke-test-replicas': '2', 'smoke-test': 'false', tags: 'a=b\nc=d' }
        }
      ]
    })
  })

  test.each([
    ['is none', '', /clusters: it is no JSON/],
    ['is empty', '[]', /clusters: it is no list with clusters in it/],
    [
      'has an entry without a name',
      JSON.stringify([green, { region: 'eu-west-1' }]),
      /clusters: entry 2 has no name/
    ],
    [
      'has a name that is a command',
      JSON.stringify([{ ...green, name: 'a; rm -rf /' }]),
      /clusters: entry 1 has no name/
    ],
    [
      'has an entry without a region',
      JSON.stringify([{ name: 'green' }]),
      /clusters: entry 1 \(green\) has no region/
    ],
    [
      'has a fourth wave',
      JSON.stringify([{ ...green, wave: 4 }]),
      /clusters: entry 1 \(green\): wave is 1, 2 or 3/
    ],
    [
      'has a cluster twice',
      JSON.stringify([green, green]),
      /clusters: green in eu-west-1 is in the list twice/
    ]
  ])('that %s is refused before a job begins', (_what, given, reason) => {
    const { status, error, outputs } = waves({ clusters: given })
    expect(error).toMatch(reason)
    expect([status === 0, outputs]).toEqual([false, {}])
  })

  test('a later wave waits for the proof of the earlier one, but where nothing is changed', () => {
    const after = (mode: string, first: string, second: string): readonly boolean[] => {
      const outputs = { first: '[1]', second: '[2]', last: '[3]' }
      const needs = {
        waves: { result: 'success', outputs },
        first: { result: first },
        second: { result: second }
      }
      return ['second', 'last'].map((job) => clusters.runs(job, { ...called({ mode }), needs }))
    }
    expect(after('install', 'success', 'success')).toEqual([true, true])
    expect(after('install', 'skipped', 'skipped')).toEqual([true, true])
    expect(after('install', 'failure', 'skipped')).toEqual([false, false])
    expect(after('install', 'success', 'failure')).toEqual([true, false])
    expect(after('check', 'failure', 'failure')).toEqual([true, true])
  })
})

describe('three clusters', () => {
  const names = ['canary', 'green', 'blue']
  const sandboxes = new Map<string, Sandbox>()
  beforeAll(async () => {
    const started = await Promise.all(
      names.map(async (name) => startSandbox({ name, runner: 'kept', kubernetesVersion: '1.35' }))
    )
    for (const sandbox of started) sandboxes.set(sandbox.name, sandbox)
  })
  afterAll(async () => {
    await Promise.all([...sandboxes.values()].map(async (sandbox) => sandbox.stop()))
  })

  /** One job of a wave: the step of the action, and what is kept of it. */
  async function job(cluster: unknown, contexts: Contexts): Promise<ActionResult> {
    const sandbox = sandboxes.get(String(record(cluster)['name']))
    if (sandbox === undefined) throw new Error('no such cluster')
    const inputs = Workflow.filled(wave.step('cluster', 'Karpenter')['with'], {
      ...contexts,
      matrix: { cluster }
    })
    const given = Object.entries(inputs).filter(([, value]) => value !== '')
    return sandbox.run(Object.fromEntries(given))
  }

  test('are installed in waves, and one table says which of them is not well', async () => {
    const listed = names.map((name) => ({
      name,
      region: sandboxes.get(name)?.region,
      role: sandboxes.get(name)?.deployerRoleArn,
      wave: name === 'canary' ? 1 : 3,
      ...(name === 'blue' && { inputs: { 'karpenter-version': '0.1.0' } })
    }))
    const given = { clusters: JSON.stringify(listed), mode: 'install', shared: '{"smoke-test": false}' }
    const { outputs } = waves(given)
    const contexts = called(given)
    const first = list(JSON.parse(outputs['first'] ?? '[]'))
    const last = list(JSON.parse(outputs['last'] ?? '[]'))
    const canaries = await Promise.all(first.map(async (one) => job(one, contexts)))
    canaries.forEach(succeeded)
    const rest = await Promise.all(last.map(async (one) => job(one, contexts)))
    expect(rest.map(({ conclusion }) => conclusion)).toEqual(['success', 'failure'])
    const needs = {
      waves: { result: 'success', outputs },
      first: { result: 'success' },
      second: { result: 'skipped' }
    }
    expect(clusters.runs('combine', { ...contexts, needs })).toBe(true)
    // As the jobs upload them and the last one fetches them.
    for (const [index, result] of [...canaries, ...rest].entries())
      writeFileSync(join(folder, `report-${index}.json`), JSON.stringify(reportOf(result)))
    const sandbox = sandboxes.get('canary')
    const token = sandbox?.github.token ?? ''
    const combining = Workflow.filled(clusters.step('combine', 'Put them together')['with'], {
      ...called({ ...given, 'tracking-issue': true }),
      needs,
      github: { token }
    })
    const combined = await sandbox?.run({
      ...combining,
      'cluster-name': '',
      reports: join(folder, 'report-*.json')
    })
    if (combined === undefined) throw new Error('no sandbox')
    succeeded(combined)
    expect(list(JSON.parse(combined.outputs['clusters'] ?? '[]'))).toMatchObject([
      { name: 'blue', state: 'failed' },
      { name: 'canary', state: 'well', headline: 'installed' },
      { name: 'green', state: 'well', headline: 'installed' }
    ])
    expect(combined.summary.split('\n')[0]).toBe('## Karpenter on 3 clusters: 1 needs a look')
    expect(sandbox?.github.issues()).toMatchObject([
      { state: 'open', title: 'Karpenter: clusters need a look' }
    ])
  })
})
