import type { Sandbox, SandboxSpec } from '../../sandbox/index.js'
import { newest, startSandbox } from '../../sandbox/index.js'
import { uninstall } from '../removal.js'
import { guide } from '../shapes/guide.js'
import { installedVersion } from '../shapes/shape.js'

type Inputs = Readonly<Record<string, string>>

/** A walk that is killed, from a state in which a cluster is put before it. */
export interface Scenario {
  readonly name: 'install' | 'upgrade' | 'uninstall' | 'smoke-test' | 'adoption'
  /** Runs that lead to the state, in order. */
  readonly before: readonly Inputs[]
  /** The run that is killed. */
  readonly killed: Inputs
  /** The run after it. */
  readonly next: Inputs
  /** What a check is then given; undefined where nothing is left to check. */
  readonly check: Inputs | undefined
  /** Somebody else's installation, made anew for each point on a sandbox of its own. */
  readonly own?: { readonly spec: SandboxSpec; readonly make: (sandbox: Sandbox) => Promise<unknown> }
}

/** Whatever any mode needs: permissions are tried elsewhere. */
const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }

const tortureSpec: SandboxSpec = {
  name: 'tortured',
  region: 'eu-west-1',
  kubernetesVersion: '1.32',
  karpenter: [installedVersion, newest],
  authenticationMode: 'API',
  runner: 'kept',
  stackPace: 10,
  deployer: { policy }
}

/** `endpoint`: the API server's own, for the controller and the nodes that it makes. */
export function scenariosOf(endpoint: string): readonly Scenario[] {
  const values = { 'helm-values': `{ settings: { clusterEndpoint: "${endpoint}" } }` }
  const install: Inputs = { 'karpenter-version': newest, 'smoke-test': 'false', ...values }
  const older: Inputs = { ...install, 'karpenter-version': installedVersion }
  const removal: Inputs = { ...uninstall, ...values }
  const proof: Inputs = {
    ...values,
    mode: 'smoke-test',
    'karpenter-version': newest,
    'smoke-test-replicas': '1'
  }
  // With the upgrade at once: of the version that runs, an adoption writes little but its record.
  const adopt: Inputs = { 'smoke-test': 'false', 'karpenter-version': newest }
  return [
    { name: 'install', before: [], killed: install, next: install, check: install },
    { name: 'upgrade', before: [older], killed: install, next: install, check: install },
    { name: 'uninstall', before: [install], killed: removal, next: removal, check: undefined },
    { name: 'smoke-test', before: [install], killed: proof, next: proof, check: install },
    {
      name: 'adoption',
      before: [],
      killed: { ...adopt, adopt: 'true' },
      next: { ...adopt, adopt: 'true' },
      check: adopt,
      own: {
        spec: { ...guide.spec, karpenter: [installedVersion, newest], runner: 'kept', deployer: { policy } },
        make: async (sandbox) => guide.make(sandbox)
      }
    }
  ]
}

export { uninstall }

export async function startTortured(scenario?: Scenario): Promise<Sandbox> {
  return startSandbox(scenario?.own?.spec ?? tortureSpec)
}
