import { list, record } from '../../values.js'
import type { ApiClient } from '../api-client.js'
import { factsOf } from '../pod-environment.js'
import { kubernetesTime } from '../pod-status.js'
import { FARGATE_SCHEDULER } from './webhook.js'

/** Says in an event and in the condition PodScheduled why Fargate does not launch a pod. */
export async function failedScheduling(
  api: ApiClient,
  pod: Readonly<Record<string, unknown>>,
  message: string
): Promise<void> {
  const { namespace, name, uid } = factsOf(pod)
  const now = kubernetesTime(Date.now())
  await api.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/events`,
    body: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { generateName: `${name}.`, namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid },
      type: 'Warning',
      reason: 'FailedScheduling',
      message,
      source: { component: FARGATE_SCHEDULER },
      reportingComponent: FARGATE_SCHEDULER,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1
    }
  })
  const others = list(record(pod['status'])['conditions']).filter(
    (condition) => record(condition)['type'] !== 'PodScheduled'
  )
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message,
    lastTransitionTime: now
  }
  await api.request({
    method: 'PATCH',
    path: `/api/v1/namespaces/${namespace}/pods/${name}/status`,
    body: { metadata: { uid }, status: { conditions: [...others, condition] } }
  })
}
