import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { at, callsOf, find, paths, succeeded, until, writes } from './scenario.js'

const shiftedClock = new URL('shifted-clock.mjs', import.meta.url).href
const account = '111122223333'
const inputs = {
  'karpenter-version': newest,
  'smoke-test-replicas': '1',
  // Karpenter gives no node back that it planned pods on within twice this time, which is 10 s by default.
  'helm-values': '{ settings: { batchMaxDuration: 5s } }'
}
const uninstall = { mode: 'uninstall', 'remove-crds': 'true' }

/** Workflows of any repository of the organisation may deploy. */
const trust = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { Federated: `arn:aws:iam::${account}:oidc-provider/token.actions.githubusercontent.com` },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: {
        StringEquals: { 'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com' },
        StringLike: { 'token.actions.githubusercontent.com:sub': 'repo:octo-org/*' }
      }
    }
  ]
}
/** Whatever install and uninstall need: this is about the lock. */
const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }

describe('two runs on one cluster, from two repositories', () => {
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'shared',
      region: 'eu-west-1',
      kubernetesVersion: '1.35',
      authenticationMode: 'API',
      deployer: { trust, policy }
    })
  })
  afterAll(async () => sandbox.stop())

  /** `clock`: minutes by which the runner's is ahead. */
  async function runOf(
    repository: string,
    given: Readonly<Record<string, string>>,
    clock = 0
  ): Promise<ActionResult> {
    return sandbox.run(given, {
      run: { repository: `octo-org/${repository}` },
      ...(clock !== 0 && {
        env: { NODE_OPTIONS: `--import ${shiftedClock}`, CLOCK_SHIFT: String(clock * 60_000) }
      })
    })
  }

  test('two installs at once: one waits and says for whom, the other finishes, then nothing is left to do', async () => {
    const [one, two] = await Promise.all([runOf('one', inputs), runOf('two', inputs)])
    succeeded(one)
    succeeded(two)
    const waited = [one, two].filter(({ log }) => /^Waiting for .*Lock/m.test(log))
    expect(waited).toHaveLength(1)
    const [first, second] = waited[0] === one ? ['two', 'one'] : ['one', 'two']
    expect(waited[0]?.log).toContain(`held by https://github.com/octo-org/${first}/actions/runs/`)
    expect(waited[0]?.log).not.toContain(`held by https://github.com/octo-org/${second}/`)
    expect([one, two].map(({ outputs }) => outputs['changed']).sort()).toEqual(['false', 'true'])
  })

  test('an uninstall waits for the install, with clocks 20 minutes apart, and then takes away what that has made', async () => {
    const again = {
      ...inputs,
      'helm-values': '{ podAnnotations: { rollout: second }, settings: { batchMaxDuration: 5s } }'
    }
    const installing = runOf('one', again, -10)
    await until('the install to hold the lock', async () => {
      const holder = at(await find(sandbox, paths.lock), 'spec', 'holderIdentity')
      return typeof holder === 'string' && holder.includes('octo-org/one') ? true : undefined
    })
    const [installed, removed] = await Promise.all([installing, runOf('two', uninstall, 10)])
    succeeded(installed)
    succeeded(removed)
    expect(removed.log).toContain('held by https://github.com/octo-org/one/actions/runs/')
    expect(removed.log).not.toContain('stopped renewing it')
    expect(removed.outputs['leftovers']).toBe('[]')
    const clocks = [installed, removed].flatMap(({ annotations }) =>
      annotations.flatMap(({ message }) => /^clock: the runner's is .*? AWS's/.exec(message)?.[0] ?? [])
    )
    expect(clocks).toEqual([
      "clock: the runner's is 10 minutes behind AWS's",
      "clock: the runner's is 10 minutes ahead of AWS's"
    ])
    expect(await find(sandbox, `${paths.deployments}/karpenter`)).toBeUndefined()
    expect(await find(sandbox, paths.lock)).toBeUndefined()
  })

  test('a check does not wait, whoever holds the lock, and writes nothing', async () => {
    await hold(sandbox)
    sandbox.cloud.clearCalls()
    const result = await runOf('two', { ...inputs, mode: 'check', 'fail-on': 'never' })
    succeeded(result)
    expect(result.log).not.toContain('Waiting for')
    expect(result.log).not.toContain('Lock')
    expect(writes(callsOf(sandbox)).filter((call) => !call.startsWith('sts:'))).toEqual([])
  })

  test('a lock whose owner died is taken over within a minute, whatever its clock was', async () => {
    await hold(sandbox, 600)
    const result = succeeded(await runOf('two', uninstall))
    const waited = [...result.log.matchAll(/^Waiting for .*Lock: .*\((\d+) s\)$/gm)].map(([, seconds]) =>
      Number(seconds)
    )
    expect(Math.max(...waited)).toBeLessThanOrEqual(60)
    expect(result.log).toContain('runs/1 stopped renewing it; taken over')
    expect(await find(sandbox, paths.lock)).toBeUndefined()
  })
})

/** The Lease as a run leaves it whose runner is gone; `ahead`: seconds by which that runner's clock was. */
async function hold(sandbox: Sandbox, ahead = 0): Promise<void> {
  const renewed = new Date(Date.now() + ahead * 1000).toISOString().replace('Z', '000Z')
  await sandbox.kubernetes('DELETE', paths.lock)
  const created = await sandbox.kubernetes('POST', paths.lock.replace(/\/[^/]+$/, ''), {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: 'setup-karpenter',
      namespace: 'kube-system',
      annotations: { 'setup-karpenter/run': 'https://github.com/octo-org/gone/actions/runs/1' }
    },
    spec: {
      holderIdentity: 'https://github.com/octo-org/gone/actions/runs/1#job-step-1',
      leaseDurationSeconds: 60,
      acquireTime: renewed,
      renewTime: renewed
    }
  })
  if (created.status !== 201) throw new Error(`Lease: the API server answered ${created.status}`)
}
