import { holdPublished } from '../sandbox/cluster/deployer-policy.js'
import { newest, type Sandbox, startSandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { startWorkload } from '../e2e/workload.js'
import type { Figure } from './figure.js'
import { measure, type Measured, megabyte } from './measure.js'
import { withNodePools } from './own-node-pools.js'

const inputs = { 'karpenter-version': newest, template: 'built-in' }
const nodes = 30
const name = 'bench-removal'
/** NodePools of our own, each with an EC2NodeClass. */
const pools = 200

/**
 * An uninstall of nodes that the real controller has made and drains: what it asks for, and how often twice. Then what many
 * NodePools take that come and go at once.
 */
export async function removeNodes(log: (line: string) => void): Promise<readonly Figure[]> {
  const sandbox: Sandbox = await startSandbox({
    name,
    kubernetesVersion: '1.35',
    authenticationMode: 'API',
    // What helm's download takes is a figure of its own, "Memory of an install".
    runner: 'kept',
    log
  })
  try {
    await measure(sandbox, { ...inputs, 'smoke-test': 'false' })
    await startWorkload(sandbox, { name: 'spread', replicas: nodes })
    log(`${nodes} nodes are there`)
    await holdPublished(sandbox, 'uninstall')
    const { report } = await measure(sandbox, { mode: 'uninstall', 'remove-crds': 'true' })
    const requests = record(report['requests'])
    const repeated = list(requests['repeated'])
    await holdPublished(sandbox, 'install')
    const added = await measure(sandbox, withNodePools(name, pools))
    log(`${pools} NodePools are there`)
    await holdPublished(sandbox, 'uninstall')
    const removed = await measure(sandbox, { mode: 'uninstall', 'remove-crds': 'true' })
    return [
      ...figuresOf('an install', added, { megabytes: 225, requests: 615 }),
      ...figuresOf('an uninstall', removed, { megabytes: 280, requests: 910 }),
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

interface Limit {
  readonly megabytes: number
  readonly requests: number
}

function figuresOf(what: string, { result, report }: Measured, limit: Limit): readonly Figure[] {
  const detail = `${Number(report['seconds']).toFixed(0)} s`
  return [
    {
      name: `Memory of ${what} of ${pools} NodePools`,
      value: (result.maxRssBytes ?? Number.NaN) / megabyte,
      limit: limit.megabytes,
      unit: 'MB',
      detail
    },
    {
      name: `Requests of ${what} of ${pools} NodePools`,
      value: Number(record(report['requests'])['total']),
      limit: limit.requests,
      unit: '',
      detail
    }
  ]
}
