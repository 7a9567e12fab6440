import { setTimeout as pause } from 'node:timers/promises'
import { record } from '../values.js'
import type { ApiClient } from './api-client.js'

export const AGENT_NAME = 'eks-pod-identity-agent'
export const AGENT_LABEL = 'app.kubernetes.io/name'

const COLLECTION = '/apis/apps/v1/namespaces/kube-system/daemonsets'
const LONGEST = 60_000

/** Makes the add-on's DaemonSet and waits until a pod of it is ready on every node. */
export async function installPodIdentityAgent(api: ApiClient, version: string): Promise<void> {
  const labels = { [AGENT_LABEL]: AGENT_NAME, 'app.kubernetes.io/instance': AGENT_NAME }
  await api.request({
    method: 'POST',
    path: COLLECTION,
    body: {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: AGENT_NAME, namespace: 'kube-system', labels },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            priorityClassName: 'system-node-critical',
            hostNetwork: true,
            affinity: {
              nodeAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: {
                  nodeSelectorTerms: [
                    {
                      matchExpressions: [
                        { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
                        {
                          key: 'eks.amazonaws.com/compute-type',
                          operator: 'NotIn',
                          values: ['fargate', 'auto']
                        }
                      ]
                    }
                  ]
                }
              }
            },
            tolerations: [{ operator: 'Exists' }],
            containers: [
              {
                name: AGENT_NAME,
                image: `602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/eks-pod-identity-agent:${version.replace(/-eksbuild.*/, '')}`
              }
            ]
          }
        }
      }
    }
  })
  const deadline = Date.now() + LONGEST
  while (Date.now() < deadline) {
    const answer = await api.request({ method: 'GET', path: `${COLLECTION}/${AGENT_NAME}` })
    const status = record(answer.body['status'])
    if (status['observedGeneration'] === 1 && status['numberReady'] === status['desiredNumberScheduled']) {
      return
    }
    await pause(100)
  }
  throw new Error(`${AGENT_NAME}: its pods were not ready within ${LONGEST / 1000} s`)
}

export async function removePodIdentityAgent(api: ApiClient): Promise<void> {
  await api.request({ method: 'DELETE', path: `${COLLECTION}/${AGENT_NAME}?propagationPolicy=Background` })
}
