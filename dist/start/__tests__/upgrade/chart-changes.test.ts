import { chartChanges, type ChartFacts } from '../../src/upgrade/chart-changes.js'

const installed = {
  replicas: 2,
  webhook: { enabled: true, port: 8443 },
  settings: { featureGates: { reservedCapacity: false }, batchIdleDuration: '1s' },
  controller: { image: { tag: '1.2.1', digest: 'sha256:a' }, resources: {} }
}
const chart = {
  replicas: 2,
  settings: {
    featureGates: { reservedCapacity: true, nodeOverlay: false },
    batchIdleDuration: '2s',
    minValuesPolicy: 'Strict'
  },
  controller: { image: { tag: '1.14.0', digest: 'sha256:b' }, resources: {} }
}
const facts = (more: Partial<ChartFacts> = {}): ChartFacts => ({
  installed,
  releaseValues: {},
  chart,
  helmValues: {},
  values: {},
  ...more
})

describe('chartChanges', () => {
  it('names what is new, what is gone and which defaults change, but for the image that goes with the version', () => {
    expect(chartChanges(facts())).toEqual({
      dead: [],
      added: [
        { path: 'settings.featureGates.nodeOverlay', value: false },
        { path: 'settings.minValuesPolicy', value: 'Strict' }
      ],
      gone: ['webhook'],
      defaults: [
        { path: 'settings.featureGates.reservedCapacity', before: false, after: true },
        { path: 'settings.batchIdleDuration', before: '1s', after: '2s' }
      ]
    })
  })

  it('says nothing of a default where the user sets the value, or puts something else in its place', () => {
    const values = { settings: { featureGates: null, batchIdleDuration: '5s' } }
    expect(chartChanges(facts({ values })).defaults).toEqual([])
    const inner = { settings: { featureGates: { reservedCapacity: false } } }
    expect(chartChanges(facts({ values: inner })).defaults.map(({ path }) => path)).toEqual([
      'settings.batchIdleDuration'
    ])
  })

  it('says of each value of the user that is gone what became of it, and whose it is', () => {
    const { dead, gone } = chartChanges(
      facts({
        helmValues: { logConfig: { enabled: true } },
        releaseValues: { webhook: { enabled: false }, logConfig: { enabled: true }, replicas: 3 }
      })
    )
    expect(dead.map(({ path, given }) => [path, given])).toEqual([
      ['logConfig', 'in helm-values'],
      ['webhook', 'to the installed release']
    ])
    expect(dead[1]?.problem).toMatch(/gone since 1\.1/)
    expect(gone).toEqual([])
  })

  it('compares no defaults where the installed chart is not known', () => {
    const { added, gone, defaults } = chartChanges(facts({ installed: undefined }))
    expect([added, gone, defaults]).toEqual([[], [], []])
  })
})
