import { createServer } from 'node:net'
import type { InstallRecord } from '../../src/engine/record.js'
import type { Mode } from '../../src/inputs/inputs.js'
import { newestTested } from '../../src/karpenter/tested-versions.js'
import { tableFacts } from '../../src/karpenter/version-facts.js'
import { helmAlone, helmAndChart } from '../../src/plan/helm-and-chart.js'
import { loadedTemplate } from '../../src/plan/stack-template.js'
import { decideVersion } from '../../src/plan/version.js'
import { inputsOf } from '../given-inputs.js'
import { containing } from '../kubernetes/containing.js'
import { type LocalRun, localRun } from '../local-run.js'
import { WriteGuard } from '../../src/run/write-guard.js'
import { recordedStep } from '../resources/step.js'

const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'nodepools.karpenter.sh' }
}
const record: InstallRecord = {
  schema: 1,
  karpenterVersion: '1.99.0',
  kubernetesVersion: '1.35',
  facts: {
    version: '1.99.0',
    kubernetes: { least: 29, most: 41 },
    nodeClassHash: 'v9',
    upgradeNotes: []
  },
  run: 'run',
  time: '2026-11-24T10:00:00.000Z',
  resources: {
    stack: { before: [], wanted: { template: 'Resources: {}' } },
    crds: { before: [], wanted: { crds: [crd] } },
    'helm-release': {
      before: [],
      wanted: { version: '1.99.0', values: { replicas: 2 }, digest: 'sha256:abc' }
    }
  }
}
const controller = {
  namespace: 'karpenter',
  deployment: 'karpenter',
  version: '1.99.0',
  release: undefined
}

let local: LocalRun
let closed: string
beforeEach(async () => {
  local = localRun()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  closed = `127.0.0.1:${address.port}`
  await new Promise((resolve) => server.close(resolve))
})
afterEach(() => local.end())

const inputs = (mode: Mode, more: Readonly<Record<string, string>> = {}) =>
  inputsOf({
    mode,
    'cluster-name': 'blue',
    chart: `oci://${closed}/karpenter/karpenter`,
    'helm-download-url': `http://${closed}`,
    // None on the machine's own PATH is taken.
    'helm-version': '3.8.0',
    ...more
  })
const found = (more: object = {}) => ({
  record,
  controllers: [controller],
  denied: [],
  cluster: { kubernetesVersion: '1.35' },
  kubernetes: { forward: { send: refuse, open: refuse } },
  ...more
})
const refuse = async (): Promise<never> => Promise.reject(new Error('connect ECONNREFUSED'))
const work = (mode: Mode) => ({
  inputs: inputs(mode),
  found: found(),
  session: { onClose: () => undefined, writes: new WriteGuard() },
  ports: local.run.ports,
  step: recordedStep()
})

describe('a record of 1.99.0, and nothing else that can be reached', () => {
  it('has the version and its facts of a check, with no request', async () => {
    const step = recordedStep()
    const decided = await decideVersion(inputs('check'), found(), local.run.ports, step)
    expect(decided).toMatchObject({ version: '1.99.0', reason: 'installed', installed: '1.99.0' })
    expect(decided.facts).toMatchObject({
      kubernetes: { value: { least: 29, most: 41 }, origin: 'record' },
      nodeClassHash: { value: 'v9', origin: 'record' }
    })
    expect(step.lines).toEqual([])
  })

  it.each(['latest', 'lts', '1.98', '2.0'])(
    'has a version to remove, whatever is asked for: %s',
    async (asked) => {
      const none = found({ record: undefined, controllers: [] })
      const decide = async (more: object) =>
        (
          await decideVersion(
            inputs('uninstall', { 'karpenter-version': asked }),
            { ...none, ...more },
            local.run.ports,
            recordedStep()
          )
        ).version
      expect(await decide({})).toBe(newestTested)
      expect(await decide({ controllers: [controller] })).toBe('1.99.0')
      expect(await decide({ record })).toBe('1.99.0')
    }
  )

  it('has the chart of a check as it was recorded, and none of an install', async () => {
    const { chart, choices } = await helmAndChart(work('check'), '1.99.0')
    expect(chart).toMatchObject({ version: '1.99.0', digest: 'sha256:abc', crds: [crd] })
    expect(choices['Chart']).toContain('1.99.0, as recorded, because it could not be had: ')
    await expect(helmAndChart(work('install'), '1.99.0')).rejects.toThrow()
    await expect(helmAndChart(work('check'), '1.98.0')).rejects.toThrow()
  }, 30_000)

  it('needs no helm of a removal until a release is to go', async () => {
    const { chart } = await helmAndChart(work('check'), '1.99.0')
    const { helm, choices } = helmAlone(work('uninstall'), chart)
    expect(choices).toEqual({})
    await expect(helm()).rejects.toThrow('helm')
  }, 30_000)

  it('has the template of a check as it was recorded, and none of an install', async () => {
    const ask = async (mode: Mode, version: string) =>
      loadedTemplate({
        inputs: inputs(mode),
        facts: tableFacts(version),
        record,
        templateVersion: undefined,
        fetchText: refuse,
        readFile: () => ''
      })
    expect(await ask('check', '1.99.0')).toEqual({
      text: 'Resources: {}',
      origin: containing('as recorded, because https://raw.githubusercontent.com/'),
      recorded: true
    })
    await expect(ask('install', '1.99.0')).rejects.toThrow('ECONNREFUSED')
    await expect(ask('check', '1.98.0')).rejects.toThrow('ECONNREFUSED')
  })
})

test('a tested version that is asked for, or installed, takes no request', async () => {
  for (const [asked, runs] of [
    ['1.14.0', '1.2.1'],
    ['', '1.14.0']
  ] as const) {
    const none = found({ record: undefined, controllers: [{ ...controller, version: runs }] })
    const decided = await decideVersion(
      inputs('install', { 'karpenter-version': asked }),
      none,
      local.run.ports,
      recordedStep()
    )
    expect([decided.version, decided.facts.kubernetes.origin]).toEqual(['1.14.0', 'table'])
    expect(decided.notes).toEqual([])
  }
})

test('tags that cannot be listed are a note, and the newest of the table is taken', async () => {
  const step = recordedStep()
  const none = found({ record: undefined, controllers: [] })
  const decided = await decideVersion(inputs('install'), none, local.run.ports, step)
  expect(decided.version).toBe(newestTested)
  expect(step.lines).toEqual([
    containing(`note: karpenter-version: the tags of ${closed}/karpenter/karpenter could not be listed`)
  ])
})
