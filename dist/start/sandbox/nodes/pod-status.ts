import { list, record, text } from '../values.js'

/** State of one container, as a kubelet reports it. */
export type ContainerState =
  | { readonly kind: 'running'; readonly startedAt: string; readonly ready: boolean }
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string }

export interface Termination {
  readonly exitCode: number
  readonly startedAt: string
  readonly finishedAt: string
}

export interface ContainerReport {
  readonly state: ContainerState
  readonly restarts: number
  readonly lastTermination?: Termination
}

/** Seconds, as Kubernetes writes times. */
export function kubernetesTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
}

/** The status of a pod all of whose containers are in this state. */
export function podStatus(
  pod: Readonly<Record<string, unknown>>,
  report: ContainerReport,
  podIp: string,
  startTime: string,
  /** initContainerStatuses, and whether all of them have ended well. */
  init: { readonly statuses: readonly unknown[]; readonly done: boolean } = { statuses: [], done: true }
): Readonly<Record<string, unknown>> {
  const ready = report.state.kind === 'running' && report.state.ready
  const containers = list(record(pod['spec'])['containers']).map(record)
  const scheduled = list(record(pod['status'])['conditions'])
    .map(record)
    .filter((condition) => condition['type'] === 'PodScheduled')
  const now = kubernetesTime(Date.now())
  const condition = (type: string, holds: boolean): Readonly<Record<string, unknown>> => ({
    type,
    status: holds ? 'True' : 'False',
    lastTransitionTime: now,
    ...(holds
      ? {}
      : {
          reason: 'ContainersNotReady',
          message: `containers with unready status: [${containers.map((one) => text(one['name'])).join(' ')}]`
        })
  })
  return {
    phase: report.state.kind === 'waiting' && report.restarts === 0 ? 'Pending' : 'Running',
    hostIP: '127.0.0.1',
    podIP: podIp,
    podIPs: [{ ip: podIp }],
    startTime,
    conditions: [
      ...scheduled,
      condition('PodReadyToStartContainers', true),
      condition('Initialized', init.done),
      condition('ContainersReady', ready),
      condition('Ready', ready)
    ],
    ...(init.statuses.length > 0 && { initContainerStatuses: init.statuses }),
    containerStatuses: containers.map((container) => ({
      name: text(container['name']),
      image: text(container['image']),
      imageID: report.state.kind === 'running' ? `sandbox://${text(container['image']) ?? ''}` : '',
      containerID:
        report.state.kind === 'running' ? `containerd://${text(record(pod['metadata'])['uid']) ?? ''}` : '',
      ready,
      started: report.state.kind === 'running',
      restartCount: report.restarts,
      state:
        report.state.kind === 'running'
          ? { running: { startedAt: report.state.startedAt } }
          : { waiting: { reason: report.state.reason, message: report.state.message } },
      lastState:
        report.lastTermination === undefined
          ? {}
          : {
              terminated: {
                ...report.lastTermination,
                reason: report.lastTermination.exitCode === 0 ? 'Completed' : 'Error',
                containerID: 'containerd://earlier'
              }
            }
    }))
  }
}
