import { UserError } from '../../src/engine/errors.js'
import type { Ports } from '../../src/run/ports.js'
import { type PlayedRunOptions, PlayedWorld } from './played-run.js'

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
})
afterEach(async () => world.stop())

const quick = { 'smoke-test': 'false' }
const wrong = { timeout: 'soon' }
const withPorts = (change: Partial<Ports>): PlayedRunOptions => ({
  ports: (ports) => ({ ...ports, ...change })
})

describe('each mode does what it is named for', () => {
  it('plan counts, check finds, uninstall leaves nothing, and a smoke test needs something to prove', async () => {
    const ended = async (mode: string) => world.main({ mode, ...quick })
    expect((await ended('plan')).outputs['changes']).toBe('28')
    expect((await ended('check')).outputs['pending']).toBe('1')
    expect((await ended('uninstall')).outputs['leftovers']).toBe('[]')
    expect((await ended('smoke-test')).failed).toContain('the cluster has no Karpenter')
  })
})

describe('of wrong inputs', () => {
  it('a summary is left out by `false` alone, however it is spelled', async () => {
    const summaryBy = async (summary: string) => (await world.main({ ...wrong, summary })).summary
    expect([await summaryBy('FALSE'), await summaryBy('false')]).toEqual(['', ''])
    expect(await summaryBy('not false')).toContain(': failed')
    expect(await summaryBy('false if dry')).toContain(': failed')
  })

  it('a summary that cannot be written is a warning, and the step fails by its inputs', async () => {
    const full = await world.main(
      wrong,
      withPorts({ appendSummary: async () => Promise.reject(new Error('disk full')) })
    )
    expect(full.warnings).toEqual(['summary: could not be written: disk full'])
    expect(full.failed).toContain('timeout:')
    const none = await world.main(wrong, withPorts({ appendSummary: undefined }))
    expect([none.warnings, none.failed]).toEqual([[], full.failed])
  })

  it('a workspace that cannot be searched fails the step before any call', async () => {
    const findFiles = () => {
      throw new Error('EACCES: permission denied')
    }
    const { failed } = await world.main({ mode: 'combine' }, withPorts({ findFiles }))
    expect(failed).toBe(
      'setup-karpenter: EACCES: permission denied\n  No call was made and nothing was changed.'
    )
  })
})

test('every input that means nothing in the mode is named', async () => {
  const { log } = await world.main({ mode: 'check', 'force-drain': 'true', 'remove-crds': 'true' })
  expect(log[0]).toBe(
    'Inputs that mean nothing in mode check, and are not used: force-drain (uninstall), remove-crds (uninstall)'
  )
})

describe('the report', () => {
  it('says how the run ended, what it waited for, and which attempt it was', async () => {
    const ended = await world.main(quick, { env: { GITHUB_RUN_ATTEMPT: '2' } })
    expect(ended.outputs['report']).toContain('setup-karpenter-blue-install-2.json')
    expect(ended.report).toMatchObject({
      result: 'succeeded',
      criticalPath: { seconds: expect.any(Number) as unknown }
    })
    expect(ended.report).not.toHaveProperty('error')
  })

  it('of a run that failed later has what the preflight had found', async () => {
    world.aws.tags.get('sg-1')?.clear()
    world.helm.fails = 'the chart has no such value'
    const ended = await world.main(quick)
    expect(ended.failed).toContain('the chart has no such value')
    expect(ended.report).toMatchObject({ preflight: [{ check: 'network', level: 'warning' }] })
  })

  it('of a check that was refused has why', async () => {
    await world.main(quick)
    world.server.remove('/api/v1/namespaces/kube-system/configmaps/setup-karpenter')
    world.helm.disown({ 'helm.toolkit.fluxcd.io/name': 'karpenter' })
    const { report } = await world.main({ mode: 'check' })
    expect(report).toMatchObject({ preflight: [{ check: 'not-adopted', level: 'error' }] })
  })

  it('and a summary are left out, without a word, where the runner has no place for them', async () => {
    const ended = await world.main(
      { mode: 'check', ...quick },
      { env: { RUNNER_TEMP: undefined }, ...withPorts({ appendSummary: undefined }) }
    )
    expect([ended.failed, ended.outputs['report']]).toEqual([undefined, undefined])
    expect(ended.warnings.filter((line) => line.startsWith('report:'))).toEqual([])
  })
})

test('what failed because the time was up is not why the run failed', async () => {
  let end = (): void => undefined
  const ended = await world.main(quick, {
    at: (_request, { timeUp }) => (end = timeUp),
    ports: (ports) => ({
      ...ports,
      helm: {
        find: async (options) => ports.helm.find(options),
        chart: async (...of) => ports.helm.chart(...of),
        signature: ports.helm.signature,
        versions: ports.helm.versions,
        prepare: async (options) => ({
          ...(await ports.helm.prepare(options)),
          run: async (args) => {
            if (args[0] === 'template') return Promise.resolve({ stdout: '', stderr: '' })
            end()
            return Promise.reject(new UserError('Helm release karpenter', 'was interrupted', 'Run again.'))
          }
        })
      }
    })
  })
  expect(ended.failed).toMatch(/^setup-karpenter: timeout: the run was not done after \d+ s; raise `timeout`/)
  expect(ended.failed).not.toContain('was interrupted')
})

describe('an uninstall whose time is up', () => {
  const claims = '/apis/karpenter.sh/v1/nodeclaims/'
  const drained = (nodePool: string): void => {
    world.server.put(`${claims}${nodePool}-x`, {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodeClaim',
      metadata: { labels: { 'karpenter.sh/nodepool': nodePool }, deletionTimestamp: '2026-11-30T08:00:00Z' },
      status: { nodeName: 'one' }
    })
  }
  const pool = (name: string): void => {
    const metadata = { labels: { 'app.kubernetes.io/managed-by': 'setup-karpenter' } }
    world.server.put(`/apis/karpenter.sh/v1/nodepools/${name}`, {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata,
      spec: {}
    })
  }
  /** Its time is up when the log says that it waits for the nodes of each of these. */
  const timedOut = async (...pools: readonly string[]) => {
    let end = (): void => undefined
    return world.main(
      { mode: 'uninstall' },
      {
        at: (_request, { timeUp }) => (end = timeUp),
        ports: (ports) => ({
          ...ports,
          clock: {
            ...ports.clock,
            every: (_milliseconds, callback) => {
              const timer = setInterval(callback, 5)
              return { stop: () => clearInterval(timer) }
            }
          },
          runner: {
            ...ports.runner,
            info: (line) => {
              if (pools.every((name) => line.includes(`1 NodeClaims of NodePool ${name} to go`))) end()
              ports.runner.info(line)
            }
          }
        })
      }
    )
  }

  it('says what it waited for, and not only that it did', async () => {
    await world.main(quick)
    drained('default')
    const { failed, report } = await timedOut('default')
    expect(failed).toMatch(
      /^setup-karpenter: NodePool default: 1 NodeClaims were not gone when the run's time was up/
    )
    expect(failed).not.toContain('raise `timeout`')
    expect(report).toMatchObject({ result: 'failed', error: failed })
  })

  it('says so of each that it waited for', async () => {
    await world.main(quick)
    pool('other')
    for (const name of ['default', 'other']) drained(name)
    const { failed } = await timedOut('default', 'other')
    expect(failed).toContain('setup-karpenter: NodePool default: 1 NodeClaims were not gone')
    expect(failed).toContain('setup-karpenter: NodePool other: 1 NodeClaims were not gone')
    expect(failed?.match(/^setup-karpenter:/gm)).toHaveLength(2)
  })
})
