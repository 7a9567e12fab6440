import { setTimeout as delay } from 'node:timers/promises'
import type { Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { manyAtOnce, patch, post } from './crowd.js'

const label = 'setup-karpenter/smoke-test'
const deployments = '/apis/apps/v1/namespaces/karpenter/deployments'
const pods = '/api/v1/namespaces/karpenter/pods'
const nodeClaims = '/apis/karpenter.sh/v1/nodeclaims'

interface Played {
  readonly id: string
  readonly replicas: number
}

/**
 * Plays controllers that are stopped for the smoke tests of a run: a NodeClaim, a node and a pod for each replica, and all
 * of them gone when the Deployment is. Ends with the signal.
 */
export async function playKarpenter(sandbox: Sandbox, signal: AbortSignal): Promise<void> {
  const up = new Map<string, Played>()
  while (!signal.aborted) {
    const there = new Map((await asked(sandbox)).map((one) => [one.id, one]))
    for (const [id, one] of there) {
      if (up.has(id)) continue
      up.set(id, one)
      await scaleUp(sandbox, one)
    }
    for (const [id, one] of up) {
      if (there.has(id)) continue
      up.delete(id)
      await scaleDown(sandbox, one)
    }
    await delay(100)
  }
}

async function asked(sandbox: Sandbox): Promise<readonly Played[]> {
  const answer = await sandbox.kubernetes('GET', `${deployments}?labelSelector=${label}`)
  return list(record(answer.body)['items']).map((one) => {
    const spec = record(record(one)['spec'])
    const selector = record(record(spec['selector'])['matchLabels'])
    return { id: text(selector[label]) ?? '', replicas: Number(spec['replicas']) }
  })
}

const nameOf = (id: string, index: number): string => `smoke-test-${id}-${index}`
const met = (type: string) => ({
  type,
  status: 'True',
  reason: type,
  message: '',
  lastTransitionTime: new Date().toISOString().replace(/\.\d+/, '')
})

async function scaleUp(sandbox: Sandbox, { id, replicas }: Played): Promise<void> {
  const pool = `smoke-test-${id}`
  await manyAtOnce(replicas, async (index) => {
    const name = nameOf(id, index)
    await post(sandbox, nodeClaims, {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodeClaim',
      metadata: { name, labels: { 'karpenter.sh/nodepool': pool, [label]: id } },
      spec: {
        nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'own-0' },
        requirements: [{ key: 'karpenter.sh/nodepool', operator: 'In', values: [pool] }]
      }
    })
    await post(sandbox, '/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { [label]: id, 'karpenter.sh/nodepool': pool } }
    })
    await patch(sandbox, `${nodeClaims}/${name}/status`, {
      nodeName: name,
      conditions: ['Launched', 'Registered', 'Initialized', 'Ready'].map((type) => ({
        ...met(type),
        observedGeneration: 1
      }))
    })
    await post(sandbox, pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { [label]: id } },
      spec: { nodeName: name, terminationGracePeriodSeconds: 0, containers: [{ name: 'a', image: 'a' }] }
    })
    await patch(sandbox, `${pods}/${name}/status`, { phase: 'Running', conditions: [met('Ready')] })
  })
}

async function scaleDown(sandbox: Sandbox, { id, replicas }: Played): Promise<void> {
  await manyAtOnce(replicas, async (index) => {
    const name = nameOf(id, index)
    await sandbox.kubernetes('DELETE', `${pods}/${name}`, { gracePeriodSeconds: 0 })
    await sandbox.kubernetes('DELETE', `/api/v1/nodes/${name}`)
    await sandbox.kubernetes('DELETE', `${nodeClaims}/${name}`)
  })
}
