import { openSession } from '../../src/run/session.js'
import { PlayedWorld } from './played-run.js'

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
})
afterEach(async () => world.stop())

const quick = { 'smoke-test': 'false' }
const namespacePath = 'PATCH /api/v1/namespaces/karpenter'
const idle = { timers: 0, listeners: 0 }

test('inputs that are wrong end the step before any call', async () => {
  const ended = await world.main({ 'cluster-name': '', timeout: 'soon' })
  expect(ended.failed).toMatch(/cluster-name:[\s\S]*timeout:/)
  expect(ended.failed).toContain('No call was made and nothing was changed.')
  expect([ended.outputs, ended.state]).toEqual([{}, ''])
  expect(ended.summary).toMatch(
    /^## Karpenter: failed\n\n\*\*Failed\*\* before anything was looked at\.\n\n> [^]*cluster-name[^]*timeout/
  )
  expect([world.cloud.calls(), world.server.calls]).toEqual([[], []])
})

test('the summary of wrong inputs names the cluster, and is left out as any other', async () => {
  const wrong = { timeout: 'soon' }
  expect((await world.main(wrong)).summary).toMatch(/^## Karpenter on `blue`: failed\n/)
  expect((await world.main({ ...wrong, summary: 'false' })).summary).toBe('')
  const combined = await world.main({ mode: 'combine', reports: 'reports/*.json' })
  expect(combined.failed).toBeDefined()
  expect(combined.summary).toContain(': failed\n')
})

test('a cluster that is not there fails the step, which still has its report', async () => {
  const ended = await world.main({ 'cluster-name': 'green' })
  expect(ended.failed).toContain('there is no EKS cluster "green"')
  expect(ended.failed).toContain('Clusters in eu-west-1: blue')
  expect(ended.outputs).toEqual({
    changed: 'false',
    report: expect.stringContaining('setup-karpenter-green-install-1.json') as unknown
  })
  expect(ended.report).toMatchObject({ result: 'failed', error: ended.failed, changed: false })
  expect(ended.summary).toContain('there is no EKS cluster')
  expect(ended.left).toEqual(idle)
})

test('inputs of another mode are said, and hinder nothing', async () => {
  const { log, failed } = await world.main({ mode: 'check', 'cluster-name': 'green', 'force-drain': 'true' })
  expect(log[0]).toBe('Inputs that mean nothing in mode check, and are not used: force-drain (uninstall)')
  expect(failed).toContain('there is no EKS cluster')
  expect((await world.main({ mode: 'check', 'cluster-name': 'green' })).log.join('\n')).not.toContain(
    'Inputs'
  )
})

test('a failure in the middle fails the step with what was changed, and gives the lock back', async () => {
  world.helm.fails = 'the chart has no such value'
  const ended = await world.main()
  expect(ended.failed).toMatch(/^setup-karpenter: Helm release karpenter: the chart has no such value\n/)
  expect(ended.failed).toContain('These changes were made and stay; running again goes on from here:')
  expect(ended.outputs).toMatchObject({
    changed: 'true',
    'karpenter-version': '1.14.1',
    'stack-name': 'Karpenter-blue'
  })
  expect(ended.report).toMatchObject({ result: 'failed', changed: true, smokeTests: [] })
  const outcomes = resultsOf(ended.report)
  expect(outcomes).toMatchObject({
    stack: 'applied',
    'helm-release': 'failed',
    'node-pool/default': 'not tried',
    'ec2-node-class/default': 'not tried'
  })
  expect(ended.summary).toContain('**Failed**')
  expect([world.lockHolder(), ended.state]).toEqual(['', ''])
  expect(world.helm.uses.closed).toBe(1)
  expect(ended.left).toEqual(idle)
})

test('every resource that failed is named', async () => {
  world.cloud.setFaults(
    ['CreateServiceLinkedRole', 'CreateRole'].map((action) => ({
      service: 'iam',
      action,
      effect: { kind: 'error', code: 'AccessDenied', message: `may not ${action}`, status: 403 }
    }))
  )
  const ended = await world.main({ ...quick, template: 'built-in' })
  expect(ended.failed).toContain('Controller role blue-karpenter')
  expect(ended.failed).toContain('Spot service-linked role')
})

test('a cancel leaves the lock to post, which gives it back', async () => {
  const ended = await world.main(quick, {
    at: (request, { cancel }) => {
      if (request === namespacePath) cancel()
    }
  })
  expect(ended.failed).toContain('the job was cancelled')
  expect(ended.report).toMatchObject({ result: 'cancelled' })
  expect(JSON.parse(ended.state)).toEqual({
    clusterName: 'blue',
    region: 'eu-west-1',
    namespace: 'karpenter',
    lockHolder: world.lockHolder()
  })
  expect(world.lockHolder()).toContain('runs/1#')
  expect(ended.left).toEqual(idle)
  const post = await world.post(ended)
  expect(post.log).toEqual(['released the lock'])
  expect([world.lockHolder(), post.failed, post.warnings, post.left]).toEqual(['', undefined, [], idle])
})

test('a run whose time is up fails, and says what to raise', async () => {
  const ended = await world.main(
    { ...quick, timeout: '90s' },
    {
      at: (request, { timeUp }) => {
        if (request === namespacePath) timeUp()
      }
    }
  )
  expect(ended.failed).toContain('timeout: the run was not done after 90 s; raise `timeout` (now 90 s)')
  expect(ended.report).toMatchObject({ result: 'failed' })
  expect(ended.state).not.toBe('')
  expect(ended.left).toEqual(idle)
})

test('what ran out of time is said by whoever waited, where it can say', async () => {
  const ended = await world.main(
    { ...quick, timeout: '90s' },
    {
      at: (request, { timeUp }) => {
        if (request === 'PATCH /apis/karpenter.sh/v1/nodepools/default') timeUp()
      }
    }
  )
  expect(ended.failed).toContain('90 s')
  expect(ended.report).toMatchObject({ result: 'failed' })
})

test('a summary that cannot be written is a warning, and the step ends as it would have', async () => {
  const noSummary = {
    ports: <P extends object>(ports: P) => ({
      ...ports,
      appendSummary: async () => Promise.reject(new Error('disk full'))
    })
  }
  const succeeded = await world.main(quick, noSummary)
  expect([succeeded.failed, succeeded.warnings]).toEqual([
    undefined,
    ['report: could not be written: disk full']
  ])
  expect(succeeded.outputs['changed']).toBe('true')
  const failed = await world.main({ 'helm-values': 'replicaz: 3' }, noSummary)
  expect(failed.failed).toContain('replicaz')
})

test('summary: false writes none; without a folder for it there is no report', async () => {
  const ended = await world.main({ 'cluster-name': 'green', summary: 'false' })
  expect([ended.summary, ended.report === undefined]).toEqual(['', false])
  const without = await world.main({ 'cluster-name': 'green' }, { env: { RUNNER_TEMP: undefined } })
  expect(without.outputs).toEqual({ changed: 'false' })
  expect(without.failed).toContain('green')
})

test('credentials and tokens are masked', async () => {
  const { secrets } = await world.main({ ...quick, mode: 'check' })
  expect(secrets).toEqual(
    expect.arrayContaining([process.env['AWS_SECRET_ACCESS_KEY'], expect.stringMatching(/^k8s-aws-v1\./)])
  )
})

test("a runner's clock that is wrong is said, and harms nothing", async () => {
  const { warnings, failed } = await world.main(
    { 'cluster-name': 'green' },
    {
      ports: (ports) => ({
        ...ports,
        session: (inputs, signal) => {
          const clock = { ...ports.clock, now: () => ports.clock.now() - 600_000 }
          return openSession(inputs, { env: ports.env, runner: ports.runner, clock }, signal)
        }
      })
    }
  )
  expect(warnings).toEqual([expect.stringMatching(/^clock: the runner's is 10 minutes behind AWS's/)])
  expect(failed).toContain('there is no EKS cluster "green"')
})

test('credentials of an account that is not allowed end the run', async () => {
  const ended = await world.main({ 'allowed-account-ids': '999988887777' })
  expect(ended.failed).toContain('allowed-account-ids: the credentials are of account 111122223333')
  expect(world.server.calls).toEqual([])
})

function resultsOf(report: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, string>> {
  const resources: readonly unknown[] = Array.isArray(report?.['resources']) ? report['resources'] : []
  return Object.fromEntries(
    resources.map((one) => {
      const { id, result } = Object(one) as { readonly id: string; readonly result: string }
      return [id, result]
    })
  )
}
