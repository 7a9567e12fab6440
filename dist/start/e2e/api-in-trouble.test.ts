import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { randomFaults, seeded } from '../sandbox/control-plane/api-faults.js'
import { type FaultyRelay, startFaultyRelay } from '../sandbox/control-plane/faulty-relay.js'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { find, paths, succeeded } from './scenario.js'

/** Whatever install and uninstall need: this is about the API server. */
const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }
const uninstall = { mode: 'uninstall', 'remove-crds': 'true' }

describe('a cluster whose API server is in trouble', () => {
  let sandbox: Sandbox
  let relay: FaultyRelay

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'shaky',
      region: 'eu-west-1',
      authenticationMode: 'API',
      runner: 'kept',
      deployer: { policy }
    })
    const { endpoint, caCertificate, authority } = sandbox.controlPlane
    const certificate = await authority.issue({
      commonName: 'kube-apiserver',
      ipAddresses: ['127.0.0.1'],
      usage: 'server'
    })
    relay = await startFaultyRelay({ endpoint, caCertificate, certificate })
    sandbox.cloud.eks.setEndpoint(sandbox.name, relay.endpoint, caCertificate)
  })
  afterEach(() => {
    relay.fault = () => undefined
  })
  afterAll(async () => {
    await relay.stop()
    await sandbox.stop()
  })

  async function run(inputs: Readonly<Record<string, string>>): Promise<ActionResult> {
    return sandbox.run({
      'karpenter-version': newest,
      'smoke-test': 'false',
      // The controller and the nodes it makes go to the API server itself.
      'helm-values': `{ settings: { clusterEndpoint: "${sandbox.controlPlane.endpoint}" } }`,
      ...inputs
    })
  }

  async function gone(result: ActionResult): Promise<void> {
    expect(succeeded(result).outputs['leftovers']).toBe('[]')
    expect(await find(sandbox, `${paths.deployments}/karpenter`)).toBeUndefined()
    expect(await find(sandbox, paths.lock)).toBeUndefined()
  }

  /** Lets the server be away for so long when the write of that number is due. */
  function awayAtWrite(number: number, milliseconds: number): { readonly over: () => Promise<void> } {
    let writes = 0
    let outage: Promise<void> = Promise.resolve()
    relay.fault = ({ method, path }) => {
      const write = method !== 'GET' && !path.includes('dryRun=All')
      if (!write || ++writes !== number) return undefined
      outage = relay.outage(milliseconds)
      return { answer: 'reset' }
    }
    return {
      over: async () => {
        expect(writes).toBeGreaterThanOrEqual(number)
        await outage
      }
    }
  }

  test('one run installs, and one uninstalls, while 30 % of all calls fail, its own and those of helm', async () => {
    const seed = Number(process.env['API_FAULTS_SEED'] ?? Date.now() % 100_000)
    console.log(`API_FAULTS_SEED=${seed}`)
    relay.fault = randomFaults(seeded(seed), 0.3)
    const before = relay.calls.length
    succeeded(await run({}))
    await gone(await run(uninstall))
    const made = relay.calls.slice(before)
    expect(made.filter(({ fault }) => fault !== undefined).length).toBeGreaterThan(made.length / 5)
  })

  test('one run installs, and one uninstalls, with the server away for 20 s when a write is due', async () => {
    const installing = awayAtWrite(24, 20_000)
    succeeded(await run({}))
    await installing.over()
    const removing = awayAtWrite(3, 20_000)
    await gone(await run(uninstall))
    await removing.over()
  })
})
