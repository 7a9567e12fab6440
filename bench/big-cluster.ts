import { type Sandbox, startSandbox } from '../sandbox/index.js'
import { record } from '../sandbox/values.js'
import { crowd } from './crowd.js'
import type { Figure } from './figure.js'
import { fill, type Filling, findSubnets } from './fill.js'
import { growth, type Grown } from './growth.js'
import { measure, type Measured, megabyte } from './measure.js'
import { withNodePools } from './own-node-pools.js'
import { playKarpenter } from './played-karpenter.js'

const own = growth.nodePools.count
const nodes = growth.nodes.count
/** In the status of each EC2NodeClass. */
const subnetsOfEach = 500
const name = 'bench-big'
/** NodePools that are proved side by side, and nodes of one. */
const [many, replicas] = [10, 100] as const

const inputs = withNodePools(name, own)

/**
 * Requests of a check and of an unchanged install as a cluster grows by one thing after the other, and memory and seconds of
 * both and of smoke tests when it has all of them.
 */
export async function bigCluster(log: (line: string) => void): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({
    name,
    kubernetesVersion: '1.35',
    authenticationMode: 'API',
    // GitHub's images have a helm; what its download takes is a figure of its own, "Memory of an install".
    runner: 'kept',
    log
  })
  try {
    await measure(sandbox, withNodePools(name, 1))
    const runs = [await bothModes(sandbox, withNodePools(name, 1))]
    for (const grown of order) {
      await grow(sandbox, grown)
      log(`${growth[grown].count} ${growth[grown].what} are there`)
      runs.push(await bothModes(sandbox, inputs))
    }
    const { check, install } = runs.at(-1) ?? (await bothModes(sandbox, inputs))
    return [
      ...order.flatMap((grown, index) => added(grown, runs[index], runs[index + 1])),
      ...figuresOf('a check of a big cluster', check),
      ...figuresOf('an unchanged install of a big cluster', install),
      ...(await smokeTests(sandbox))
    ]
  } finally {
    await sandbox.stop()
  }
}

interface BothModes {
  readonly check: Measured
  /** Unchanged. */
  readonly install: Measured
}

async function bothModes(sandbox: Sandbox, given: Readonly<Record<string, string>>): Promise<BothModes> {
  return {
    check: await measure(sandbox, { ...given, mode: 'check' }),
    install: await measure(sandbox, given)
  }
}

/** The controllers, which make NodePools Ready, are stopped with the coming of the nodes. */
const order = ['nodePools', 'nodes', 'pods', 'deployments', 'foreignNodePools', 'subnets'] as const

async function grow(sandbox: Sandbox, grown: Grown): Promise<void> {
  if (grown === 'nodePools') await measure(sandbox, inputs)
  else if (grown === 'nodes') await crowd(sandbox, nodes, 'own-0')
  else await fill(sandbox, { ...nothing, [grown]: growth[grown].count }, nodes)
  if (grown !== 'subnets') return
  const classes = Array.from({ length: own }, (_, index) => `own-${index}`)
  await findSubnets(sandbox, classes, subnetsOfEach)
}

const nothing: Filling = { deployments: 0, pods: 0, foreignNodePools: 0, subnets: 0 }

function added(grown: Grown, before: BothModes | undefined, after: BothModes | undefined): readonly Figure[] {
  if (before === undefined || after === undefined) return []
  const { count, what, adds } = growth[grown]
  const figure = (mode: keyof BothModes, run: string): Figure => ({
    name: `Requests that ${count} ${what} add to ${run}`,
    value: requestsOf(after[mode]) - requestsOf(before[mode]),
    limit: adds[mode],
    unit: '',
    detail: `${requestsOf(after[mode])} in all`
  })
  return [figure('check', 'a check'), figure('install', 'an unchanged install')]
}

/** With the controllers' part played, which are stopped: instances of 5,000 nodes are nowhere. */
async function smokeTests(sandbox: Sandbox): Promise<readonly Figure[]> {
  const end = new AbortController()
  const playing = playKarpenter(sandbox, end.signal)
  try {
    const test = { mode: 'smoke-test', 'smoke-test-network-image': 'none' }
    const side = await measure(sandbox, {
      ...test,
      'smoke-test-replicas': '1',
      'smoke-test-node-pools': Array.from({ length: many }, (_, index) => `own-${index}`).join(',')
    })
    const one = await measure(sandbox, {
      ...test,
      'smoke-test-replicas': String(replicas),
      'smoke-test-node-pools': 'own-0'
    })
    return [
      ...figuresOf(`a smoke test of ${many} NodePools in a big cluster`, side),
      ...figuresOf(`a smoke test of ${replicas} nodes in a big cluster`, one)
    ]
  } finally {
    end.abort()
    await playing
  }
}

function figuresOf(what: string, { result, report }: Measured): readonly Figure[] {
  return [
    {
      name: `Memory of ${what}`,
      value: (result.maxRssBytes ?? Number.NaN) / megabyte,
      limit: 150,
      unit: 'MB',
      detail: `${Number(record(report['requests'])['total'])} requests, ${Number(report['seconds']).toFixed(1)} s`
    }
  ]
}

function requestsOf({ report }: Measured): number {
  return Number(record(report['requests'])['total'])
}
