import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { InstallRecord, RecordedResource } from '../../src/engine/record.js'
import type { ChartSource } from '../../src/helm/chart.js'
import type { HelmOptions } from '../../src/helm/run-helm.js'
import type { Mode } from '../../src/inputs/inputs.js'
import { helmAlone, helmAndChart } from '../../src/plan/helm-and-chart.js'
import type { HelmSource } from '../../src/run/ports.js'
import { inputsOf } from '../given-inputs.js'
import { type LocalRun, localRun } from '../local-run.js'
import { PlayedHelm } from '../modes/played-helm.js'
import { recordedStep } from '../resources/step.js'
import { recordWith } from './inspections.js'

let local: LocalRun
let played: PlayedHelm
/** What it was asked with. */
let asked: { charts: ChartSource[]; helms: HelmOptions[] }
let told: string[]
beforeEach(() => {
  local = localRun()
  played = new PlayedHelm()
  asked = { charts: [], helms: [] }
  told = []
})
afterEach(() => local.end())

type Work = Parameters<typeof helmAndChart>[0]

function work(mode: Mode, otherwise: Partial<HelmSource> = {}, record?: InstallRecord): Work {
  const { ports, session } = local.run
  const none = async (): Promise<never> => Promise.reject(new Error('there is no cluster'))
  return {
    inputs: inputsOf({ mode, 'cluster-name': 'blue' }),
    found: { record, kubernetes: { forward: { send: none, open: none } } },
    session,
    ports: {
      ...ports,
      runner: {
        ...ports.runner,
        setSecret: (secret) => void told.push(`secret: ${secret}`),
        debug: (line) => void told.push(`debug: ${line}`)
      },
      helm: {
        find: played.find,
        signature: played.signature,
        versions: played.versions,
        chart: async (source, reference, version) => {
          asked.charts.push(source)
          return played.chart(source, reference, version)
        },
        prepare: async (options) => {
          asked.helms.push(options)
          return played.prepare(options)
        },
        ...otherwise
      }
    },
    step: recordedStep()
  }
}

const reference = 'oci://public.ecr.aws/karpenter/karpenter'
const digest = `sha256:${'a'.repeat(64)}`

test('an install says which chart it has and who signed it, and has that for the record', async () => {
  const { chart, choices, warnings, provedChart } = await helmAndChart(work('install'), '1.14.1')
  expect(chart).toMatchObject({ version: '1.14.1', digest })
  expect(choices).toEqual({
    Chart: `${reference} 1.14.1 ${digest}`,
    'Chart signature': expect.stringMatching(/^by aws\/karpenter-provider-aws\/.*, log entry 1234/) as unknown
  })
  expect(warnings).toStrictEqual([])
  expect(provedChart).toMatchObject({ digest, run: 'https://github.com/org/repo/actions/runs/7' })
})

test.each<[Mode, number]>([
  ['check', 1],
  ['plan', 1],
  ['install', 2]
])(
  'in mode %s who signed a chart that an earlier run has proved is asked as often in all: %d',
  async (mode, asks) => {
    const { provedChart } = await helmAndChart(work('install'), '1.14.1')
    const record = recordWith([], provedChart === undefined ? {} : { provedChart })
    const { choices, warnings } = await helmAndChart(work(mode, {}, record), '1.14.1')
    expect(played.signaturesRead).toBe(asks)
    expect(choices['Chart signature']).toMatch(/^by aws\/karpenter-provider-aws\//)
    expect(warnings).toStrictEqual([])
  }
)

test('a chart without a signature is a warning, and nothing that is proved', async () => {
  const unsigned = work('install', { signature: async () => ({ kind: 'missing' }) })
  const { choices, warnings, provedChart } = await helmAndChart(unsigned, '1.14.1')
  expect(choices['Chart signature']).toBe('not proved: it carries no signature')
  expect(warnings).toEqual([
    expect.stringContaining(`${reference} 1.14.1 (${digest}): it carries no signature`)
  ])
  expect(provedChart).toBeUndefined()
})

test('of a chart without a digest none is said', async () => {
  const local = work('install', {
    chart: async (source, of, version) => ({
      ...(await played.chart(source, of, version)),
      digest: undefined
    })
  })
  expect((await helmAndChart(local, '1.14.1')).choices['Chart']).toBe(`${reference} 1.14.1`)
})

describe('helm', () => {
  test('is looked for when it is first asked for, once, and closed with the run', async () => {
    const { helm, helmChoice } = await helmAndChart(work('install'), '1.14.1')
    expect(played.uses.found).toBe(0)
    const [first, again] = [await helm(), await helm()]
    expect(again).toBe(first)
    expect(await asked.charts[0]?.helm()).toBe(first)
    expect(await helmChoice()).toMatch(/^3\.22\.0 /)
    expect(played.uses).toMatchObject({ found: 1, closed: 0 })
    await local.run.session.close()
    expect(played.uses.closed).toBe(1)
  })

  test('is the one that is being looked for already', async () => {
    const binary = Promise.resolve({
      path: '/opt/helm',
      version: '3.21.0',
      source: 'PATH' as const,
      why: 'theirs'
    })
    const { helm, helmChoice } = await helmAndChart({ ...work('install'), binary }, '1.14.1')
    await helm()
    expect(await helmChoice()).toBe('theirs')
    expect([played.uses.found, asked.helms[0]?.path, asked.helms[0]?.version]).toEqual([
      0,
      '/opt/helm',
      '3.21.0'
    ])
    await local.run.session.close()
  })

  test('masks what it finds to be secret, and tells the runner what it does', async () => {
    await (await helmAndChart(work('install'), '1.14.1')).helm()
    const [options] = asked.helms
    options?.mask('hunter2')
    options?.debug('helm version')
    expect(told).toEqual(['secret: hunter2', 'debug: helm version'])
    await local.run.session.close()
  })

  test('of a removal is looked for only when it is asked for, and its chart is the one that is known', async () => {
    const { chart } = await helmAndChart(work('install'), '1.14.1')
    const alone = helmAlone(work('uninstall'), chart)
    expect([alone.chart, alone.choices, alone.warnings]).toEqual([chart, {}, []])
    expect(played.uses.found).toBe(0)
    await alone.helm()
    expect(played.uses.found).toBe(1)
    await local.run.session.close()
  })
})

test('the folder of the chart is of the run, and goes with it', async () => {
  await helmAndChart(work('install'), '1.14.1')
  const folder = asked.charts[0]?.folder ?? ''
  expect(dirname(folder)).toBe(local.run.ports.env['RUNNER_TEMP'])
  expect(existsSync(folder)).toBe(true)
  await local.run.session.close()
  expect(existsSync(folder)).toBe(false)
})

const crds = [
  { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'x' } }
]
const release = { version: '1.14.1', values: { replicas: 2 }, digest: 'sha256:abc' }

test.each<[string, Readonly<Record<string, unknown>>, boolean]>([
  ['whole', { crds: { crds }, 'helm-release': release }, true],
  ['without its CRDs', { 'helm-release': release }, false],
  ['without its release', { crds: { crds } }, false],
  ['of another version', { crds: { crds }, 'helm-release': { ...release, version: '1.13.1' } }, false]
])(
  'a check that cannot have the chart goes by the record, if it is %s: %j',
  async (_what, wanted, goesOn) => {
    const resources = Object.entries(wanted).map(([id, value]): readonly [string, RecordedResource] => [
      id,
      { before: [], wanted: value }
    ])
    const record: InstallRecord = {
      schema: 1,
      karpenterVersion: '1.14.1',
      run: '',
      time: '2026-11-24T10:00:00.000Z',
      resources: Object.fromEntries(resources)
    }
    const check = helmAndChart(
      work('check', { chart: async () => Promise.reject(new Error('no registry')) }, record),
      '1.14.1'
    )
    if (!goesOn) return expect(check).rejects.toThrow('no registry')
    const { chart, choices, warnings } = await check
    expect(chart).toMatchObject({ name: 'karpenter', ...release, crds })
    expect(choices).toEqual({
      Chart: `${reference} 1.14.1, as recorded, because it could not be had: no registry`
    })
    expect(warnings).toEqual([])
  }
)
