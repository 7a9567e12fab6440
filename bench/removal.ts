import { hold, publishedStatements } from '../sandbox/cluster/deployer-policy.js'
import { newest, type Sandbox, startSandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { startWorkload } from '../e2e/workload.js'
import type { Figure } from './figure.js'
import { measure } from './measure.js'

const inputs = { 'karpenter-version': newest, template: 'built-in' }
const nodes = 30

/** An uninstall of nodes that the real controller has made and drains: what it asks for, and how often twice. */
export async function removeNodes(log: (line: string) => void): Promise<readonly Figure[]> {
  const sandbox: Sandbox = await startSandbox({
    name: 'bench-removal',
    kubernetesVersion: '1.35',
    authenticationMode: 'API',
    log
  })
  try {
    await measure(sandbox, { ...inputs, 'smoke-test': 'false' })
    await startWorkload(sandbox, { name: 'spread', replicas: nodes })
    log(`${nodes} nodes are there`)
    hold(sandbox, await publishedStatements(sandbox, 'uninstall'))
    const { report } = await measure(sandbox, { mode: 'uninstall', 'remove-crds': 'true' })
    const requests = record(report['requests'])
    const repeated = list(requests['repeated'])
    return [
      {
        name: `Requests of an uninstall of ${nodes} nodes`,
        value: Number(requests['total']),
        limit: 305,
        unit: '',
        detail: `${Number(report['seconds']).toFixed(0)} s`
      },
      {
        name: `Reads that an uninstall of ${nodes} nodes makes twice`,
        value: repeated.length,
        limit: 62,
        unit: '',
        detail: repeated.join(', ')
      }
    ]
  } finally {
    await sandbox.stop()
  }
}
