import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { list, record, text } from '../values.js'
import type { ApiClient, ApiIdentity } from './api-client.js'
import { ContainerLog } from './container-log.js'
import { runControllerContainer, type ControllerContainer } from './controller-container.js'
import type { LogRequest } from './kubelet-server.js'
import { runInitContainer, type InitEnd, type PodNetwork } from './init-container.js'
import { factsOf, type PodFacts, type ProjectedToken } from './pod-environment.js'
import { kubernetesTime, podStatus, type ContainerReport } from './pod-status.js'

/** A node whose kubelet runs. */
export interface LiveNode {
  readonly name: string
  readonly identity: ApiIdentity
  readonly allocatable: Readonly<Record<string, string>>
  /** Of its one pod, where the node and the pod share an interface (Fargate). */
  readonly podIp?: string
}

export interface PodsOptions {
  readonly api: ApiClient
  readonly node: (name: string) => LiveNode | undefined
  /** False for an image that no registry has. */
  readonly imageExists: (image: string) => boolean
  /** The controller's program for an image, when it is Karpenter's. */
  readonly controllerBinary: (image: string) => string | undefined
  readonly folder: string
  readonly apiEndpoint: string
  readonly apiCaData: string
  readonly cloudUrl: string
  readonly agentUrl: (node: string) => string
  /** What pods on the node reach. */
  readonly network: (node: string) => Promise<PodNetwork>
  /** Milliseconds that a container takes to start and to stop. */
  readonly containerTime: number
  readonly log: (line: string) => void
  readonly onProcess: (pid: number | undefined, ended: Promise<unknown>) => void
}

interface RunningPod {
  readonly facts: PodFacts
  readonly logs: Map<string, ContainerLog>
  readonly podIp: string
  readonly startTime: string
  pod: Readonly<Record<string, unknown>>
  controller: ControllerContainer | undefined
  /** The newest, whether it has arrived or not. */
  report: ContainerReport | undefined
  init: { readonly statuses: readonly unknown[]; readonly done: boolean }
  /** Aborted when the pod ends. */
  readonly over: AbortController
  ready: boolean
  ending: boolean
}

/** Milliseconds until a status that was not taken is sent again. */
const STATUS_AGAIN = 500
/** The same until an init container that failed runs again; a kubelet begins with 10 s. */
const BACK_OFF = 500

/** Runs the pods that are bound to the sandbox's nodes, as their kubelets would. */
export class Pods {
  readonly #options: PodsOptions
  readonly #running = new Map<string, RunningPod>()
  readonly #waiting = new Map<string, Readonly<Record<string, unknown>>>()
  #addresses = 0

  constructor(options: PodsOptions) {
    this.#options = options
  }

  /** One event of the watch on all pods. */
  take(type: 'ADDED' | 'MODIFIED' | 'DELETED', pod: Readonly<Record<string, unknown>>): void {
    const facts = factsOf(pod)
    if (type === 'DELETED') {
      this.#waiting.delete(facts.uid)
      this.#forget(facts.uid)
      return
    }
    const node = this.#options.node(facts.nodeName)
    if (node === undefined) {
      if (facts.nodeName !== '') {
        this.#waiting.set(facts.uid, pod)
      }
      return
    }
    this.#waiting.delete(facts.uid)
    const running = this.#running.get(facts.uid)
    if (running !== undefined) {
      running.pod = pod
    }
    if (record(pod['metadata'])['deletionTimestamp'] !== undefined) {
      this.#quietly(this.#end(facts, node, graceOf(pod)))
    } else if (running === undefined) {
      this.#quietly(this.#start(pod, facts, node))
    }
  }

  /** A kubelet begins: pods that were bound before it are looked at. */
  nodeStarted(name: string): void {
    for (const pod of [...this.#waiting.values()]) {
      if (factsOf(pod).nodeName === name) {
        this.take('ADDED', pod)
      }
    }
  }

  /** A machine is gone: what ran on it ends at once and reports nothing any more. */
  nodeStopped(name: string): void {
    for (const running of [...this.#running.values()]) {
      if (running.facts.nodeName === name) {
        this.#forget(running.facts.uid)
      }
    }
  }

  /** Whether a ready pod of this DaemonSet runs on the node. */
  hasReady(nodeName: string, label: string, value: string): boolean {
    return [...this.#running.values()].some(
      (running) =>
        running.facts.nodeName === nodeName &&
        running.ready &&
        record(record(running.pod['metadata'])['labels'])[label] === value
    )
  }

  /** Lines of a container's log; undefined when there is no such container or no run before. */
  logOf(request: LogRequest): readonly string[] | undefined {
    const running = [...this.#running.values()].find(
      ({ facts }) => facts.namespace === request.namespace && facts.name === request.pod
    )
    const log = running?.logs.get(request.container)
    return request.previous ? log?.previous : log?.current
  }

  async stop(): Promise<void> {
    const all = [...this.#running.values()]
    this.#running.clear()
    for (const { over } of all) over.abort()
    await Promise.all(all.map(async (running) => running.controller?.stop(1000)))
  }

  async #start(pod: Readonly<Record<string, unknown>>, facts: PodFacts, node: LiveNode): Promise<void> {
    const address = ++this.#addresses
    const running: RunningPod = {
      facts,
      pod,
      logs: new Map(),
      podIp: node.podIp ?? `10.0.${200 + Math.floor(address / 250)}.${(address % 250) + 1}`,
      startTime: kubernetesTime(Date.now()),
      controller: undefined,
      report: undefined,
      init: { statuses: [], done: true },
      over: new AbortController(),
      ready: false,
      ending: false
    }
    this.#running.set(facts.uid, running)
    const containers = list(record(pod['spec'])['containers']).map(record)
    const initContainers = list(record(pod['spec'])['initContainers']).map(record)
    for (const container of containers) {
      running.logs.set(text(container['name']) ?? '', new ContainerLog())
    }
    const missing = [...initContainers, ...containers]
      .map(imageOf)
      .find((image) => !this.#options.imageExists(image))
    if (missing !== undefined) {
      await this.#pullFails(running, node, missing)
      return
    }
    if (!(await this.#initialized(running, node, initContainers))) {
      return
    }
    const controller = containers.find(
      (container) => this.#options.controllerBinary(imageOf(container)) !== undefined
    )
    if (controller === undefined) {
      await pause(this.#options.containerTime)
      const startedAt = kubernetesTime(Date.now())
      await this.#report(running, node, { state: { kind: 'running', startedAt, ready: true }, restarts: 0 })
      return
    }
    const name = text(controller['name']) ?? ''
    running.controller = runControllerContainer({
      pod,
      container: controller,
      binary: this.#options.controllerBinary(imageOf(controller)) ?? '',
      root: join(this.#options.folder, facts.uid),
      log: running.logs.get(name) ?? new ContainerLog(),
      allocatable: node.allocatable,
      apiEndpoint: this.#options.apiEndpoint,
      apiCaData: this.#options.apiCaData,
      cloudUrl: this.#options.cloudUrl,
      agentUrl: this.#options.agentUrl(facts.nodeName),
      onProcess: this.#options.onProcess,
      tokenFor: async (token) => this.#token(facts, node, token),
      report: async (report) => this.#report(running, node, report)
    })
  }

  /** Runs the init containers one after another, each until it ends well; false when the pod ended before. */
  async #initialized(
    running: RunningPod,
    node: LiveNode,
    containers: readonly Readonly<Record<string, unknown>>[]
  ): Promise<boolean> {
    const ends = new Map<string, InitEnd & { readonly restarts: number }>()
    const { signal } = running.over
    for (const container of containers) {
      const name = text(container['name']) ?? ''
      for (let restarts = 0; ends.get(name)?.exitCode !== 0; restarts++) {
        const end = await runInitContainer(container, {
          root: join(this.#options.folder, running.facts.uid, name),
          network: await this.#options.network(running.facts.nodeName),
          signal
        })
        if (signal.aborted) {
          return false
        }
        ends.set(name, { ...end, restarts })
        const done = containers.every((one) => ends.get(text(one['name']) ?? '')?.exitCode === 0)
        running.init = { done, statuses: containers.map((one) => initStatus(one, ends)) }
        if (!done) {
          await this.#report(running, node, {
            state: { kind: 'waiting', reason: 'PodInitializing', message: '' },
            restarts: 0
          })
        }
        if (end.exitCode !== 0) {
          await pause(BACK_OFF)
        }
      }
    }
    return !signal.aborted
  }

  async #pullFails(running: RunningPod, node: LiveNode, image: string): Promise<void> {
    const message = `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`
    for (const reason of ['ErrImagePull', 'ImagePullBackOff']) {
      await this.#report(running, node, {
        state: {
          kind: 'waiting',
          reason,
          message:
            reason === 'ErrImagePull'
              ? message
              : `Back-off pulling image "${image}": ErrImagePull: ${message}`
        },
        restarts: 0
      })
      await pause(this.#options.containerTime)
    }
  }

  async #end(facts: PodFacts, node: LiveNode, grace: number): Promise<void> {
    const running = this.#running.get(facts.uid)
    if (running?.ending === true) {
      return
    }
    if (running !== undefined) {
      running.ending = true
      running.over.abort()
      await running.controller?.stop(grace * 1000)
      await pause(this.#options.containerTime)
    }
    await this.#options.api.request({
      method: 'DELETE',
      path: `/api/v1/namespaces/${facts.namespace}/pods/${facts.name}`,
      as: node.identity,
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        gracePeriodSeconds: 0,
        preconditions: { uid: facts.uid }
      }
    })
  }

  async #report(running: RunningPod, node: LiveNode, report: ContainerReport): Promise<void> {
    if (this.#running.get(running.facts.uid) !== running) {
      return
    }
    running.ready = report.state.kind === 'running' && report.state.ready
    running.report = report
    // As a kubelet's status manager does: a status that did not arrive is sent again, until a newer one takes its place.
    while (this.#running.get(running.facts.uid) === running && running.report === report) {
      const refusal = await this.#sendStatus(running, node, report)
      if (refusal === undefined) {
        return
      }
      this.#options.log(
        `kubelet ${node.name}: ${running.facts.namespace}/${running.facts.name}: status not taken: ${refusal}`
      )
      await pause(STATUS_AGAIN)
    }
  }

  /** Why the API server did not take it; undefined when it did, or when the pod is gone. */
  async #sendStatus(
    running: RunningPod,
    node: LiveNode,
    report: ContainerReport
  ): Promise<string | undefined> {
    try {
      const answer = await this.#options.api.request({
        method: 'PATCH',
        path: `/api/v1/namespaces/${running.facts.namespace}/pods/${running.facts.name}/status`,
        as: node.identity,
        body: {
          metadata: { uid: running.facts.uid },
          status: podStatus(running.pod, report, running.podIp, running.startTime, running.init)
        }
      })
      const said = String(answer.body['message'])
      const gone = answer.status === 404 || (answer.status === 409 && said.includes('UID'))
      return answer.status < 400 || gone ? undefined : `${answer.status} ${said}`
    } catch (error) {
      return String(error)
    }
  }

  async #token(facts: PodFacts, node: LiveNode, token: ProjectedToken): Promise<string> {
    const answer = await this.#options.api.request({
      method: 'POST',
      path: `/api/v1/namespaces/${facts.namespace}/serviceaccounts/${facts.serviceAccount}/token`,
      as: node.identity,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: token.audience === '' ? [] : [token.audience],
          expirationSeconds: token.expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: facts.name, uid: facts.uid }
        }
      }
    })
    const value = text(record(answer.body['status'])['token'])
    if (value === undefined) {
      throw new Error(
        `${facts.namespace}/${facts.name}: no token for audience "${token.audience}": ${String(answer.body['message'])}`
      )
    }
    return value
  }

  #forget(uid: string): void {
    const running = this.#running.get(uid)
    this.#running.delete(uid)
    running?.over.abort()
    if (running?.controller !== undefined && !running.ending) {
      this.#quietly(running.controller.stop(0))
    }
  }

  #quietly(work: Promise<void>): void {
    work.catch((error: unknown) => this.#options.log(`kubelet: ${String(error)}`))
  }
}

function initStatus(
  container: Readonly<Record<string, unknown>>,
  ends: ReadonlyMap<string, InitEnd & { readonly restarts: number }>
): Readonly<Record<string, unknown>> {
  const name = text(container['name']) ?? ''
  const end = ends.get(name)
  const common = { name, image: imageOf(container), imageID: '', ready: end?.exitCode === 0 }
  if (end === undefined) {
    return { ...common, restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } }
  }
  const { restarts, ...terminated } = end
  return { ...common, restartCount: restarts, state: { terminated } }
}

function imageOf(container: Readonly<Record<string, unknown>>): string {
  return text(container['image']) ?? ''
}

function graceOf(pod: Readonly<Record<string, unknown>>): number {
  return Number(text(record(pod['metadata'])['deletionGracePeriodSeconds']) ?? '30')
}
