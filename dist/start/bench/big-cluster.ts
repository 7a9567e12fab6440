import { newest, type Sandbox, startSandbox } from '../sandbox/index.js'
import { record } from '../sandbox/values.js'
import { crowd } from './crowd.js'
import type { Figure } from './figure.js'
import { fill, findSubnets } from './fill.js'
import { measure, type Measured, megabyte } from './measure.js'
import { playKarpenter } from './played-karpenter.js'

const nodes = 5_000
const own = 200
/** In the status of each EC2NodeClass. */
const subnetsOfEach = 500
const filling = { deployments: 2_000, pods: 10_000, foreignNodePools: 1_000, subnets: 494 } as const
const name = 'bench-big'
/** NodePools that are proved side by side, and nodes of one. */
const [many, replicas] = [10, 100] as const

const inputs = {
  'karpenter-version': newest,
  template: 'built-in',
  'smoke-test': 'false',
  'node-pools': Array.from({ length: own }, (_, index) => ownNodePool(index)).join('---\n')
}

function ownNodePool(index: number): string {
  return `apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: own-${index} }
spec:
  role: KarpenterNodeRole-${name}
  amiSelectorTerms: [{ alias: al2023@latest }]
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: ${name} } }]
  securityGroupSelectorTerms: [{ tags: { karpenter.sh/discovery: ${name} } }]
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: own-${index} }
spec:
  template:
    spec:
      nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: own-${index} }
      requirements: [{ key: karpenter.sh/capacity-type, operator: In, values: [on-demand] }]
`
}

/** Memory, requests and seconds of a check, an unchanged install and smoke tests of a big cluster. */
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
    await measure(sandbox, inputs)
    const small = await measure(sandbox, { ...inputs, mode: 'check' })
    log(`${own} NodePools are installed`)
    await crowd(sandbox, nodes, 'own-0')
    await fill(sandbox, filling, nodes)
    const classes = Array.from({ length: own }, (_, index) => `own-${index}`)
    await findSubnets(sandbox, classes, subnetsOfEach)
    log('the cluster is filled')
    const check = await measure(sandbox, { ...inputs, mode: 'check' })
    const install = await measure(sandbox, inputs)
    return [
      ...figuresOf('a check of a big cluster', check),
      {
        name: 'Requests of a check of a big cluster beyond those with its NodePools alone',
        value: requestsOf(check) - requestsOf(small),
        limit: 20,
        unit: ''
      },
      ...figuresOf('an unchanged install of a big cluster', install),
      ...(await smokeTests(sandbox))
    ]
  } finally {
    await sandbox.stop()
  }
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
