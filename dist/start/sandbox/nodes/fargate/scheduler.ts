import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Authority } from '../../certificates.js'
import type { FargateProfile } from '../../cloud/eks/fargate-profile.js'
import { record, text } from '../../values.js'
import type { ApiClient, ApiIdentity } from '../api-client.js'
import { resourcesOf, type Machine } from '../machine.js'
import { heartbeat, makeReady, registerNode, type NodeOrder } from '../node.js'
import { factsOf } from '../pod-environment.js'
import type { LiveNode } from '../pods.js'
import { addressIn } from './address.js'
import { sizeOf, unsupported, type PodSize } from './pod-size.js'
import { failedScheduling } from './scheduling-event.js'
import { COMPUTE_TYPE, FARGATE_SCHEDULER, profileNameOf } from './webhook.js'

/** What Fargate knows of the cloud. */
export interface FargateCloud {
  /** Of this cluster, whatever their status. */
  readonly profiles: () => readonly FargateProfile[]
  readonly subnet: (id: string) => Promise<{ readonly zone: string; readonly cidr: string } | undefined>
  /** Whom the API server takes a node with this role for, or why it refuses it. */
  readonly identity: (
    roleArn: string,
    nodeName: string
  ) => Promise<ApiIdentity | { readonly refused: string }>
}

export interface FargateOptions {
  readonly api: ApiClient
  readonly authority: Authority
  readonly cloud: FargateCloud
  readonly region: string
  /** v1.32.0 */
  readonly kubeletVersion: string
  readonly kubeletPort: number
  /** Milliseconds until a node is registered, and from that to Ready. */
  readonly bootTime: number
  readonly readyTime: number
  readonly nodeStarted: (name: string) => void
  readonly nodeStopped: (name: string) => void
  readonly log: (line: string) => void
}

interface FargateNode {
  readonly live: LiveNode
  readonly stopHeartbeat: () => void
}

type Pod = Readonly<Record<string, unknown>>

/** Milliseconds until a pod that could not be launched is tried again. */
const TRY_AGAIN = 1000

/** Launches a node for each pod that the webhook has handed to Fargate, and takes it away with the pod. */
export class FargateScheduler {
  readonly #options: FargateOptions
  /** Pods that are being launched or run, by uid; their node once it is registered. */
  readonly #pods = new Map<string, FargateNode | undefined>()
  readonly #stopping = new AbortController()
  #launches = 0

  constructor(options: FargateOptions) {
    this.#options = options
  }

  names(): readonly string[] {
    return this.#nodes().map(({ live }) => live.name)
  }

  node(name: string): LiveNode | undefined {
    return this.#nodes().find(({ live }) => live.name === name)?.live
  }

  take(type: 'ADDED' | 'MODIFIED' | 'DELETED', pod: Pod): void {
    const { uid, nodeName } = factsOf(pod)
    const phase = text(record(pod['status'])['phase']) ?? ''
    if (type === 'DELETED' || phase === 'Succeeded' || phase === 'Failed') {
      this.#quietly(this.#end(uid))
      return
    }
    const waits = record(pod['spec'])['schedulerName'] === FARGATE_SCHEDULER && nodeName === ''
    if (!waits || this.#pods.has(uid) || record(pod['metadata'])['deletionTimestamp'] !== undefined) return
    this.#pods.set(uid, undefined)
    this.#quietly(this.#launch(pod, uid))
  }

  stop(): void {
    this.#stopping.abort()
    for (const { stopHeartbeat } of this.#nodes()) stopHeartbeat()
  }

  #nodes(): readonly FargateNode[] {
    return [...this.#pods.values()].filter((node) => node !== undefined)
  }

  /** Tries until the pod is bound or gone: a profile's role may be let in later. */
  async #launch(pod: Pod, uid: string): Promise<void> {
    let said = ''
    while (this.#pods.has(uid) && !this.#stopping.signal.aborted) {
      const refusal = await this.#place(pod, uid).catch((error: unknown) => String(error))
      if (refusal === undefined) return
      if (refusal !== said) await failedScheduling(this.#options.api, pod, refusal)
      said = refusal
      await this.#wait(TRY_AGAIN)
    }
  }

  /** Registers a node for the pod and binds it there. Answers why that is not done. */
  async #place(pod: Pod, uid: string): Promise<string | undefined> {
    const { cloud, bootTime } = this.#options
    const not = unsupported(pod)
    if (not !== undefined) return not
    const size = sizeOf(pod)
    if (size === undefined) return 'Pod not supported on Fargate: no configuration is large enough for it'
    const name = profileNameOf(pod)
    const profile = cloud.profiles().find((one) => one.name === name && one.status === 'ACTIVE')
    if (profile === undefined) return `Misconfigured Fargate Profile: fargate profile ${name} is not active`
    const launch = this.#launches++
    const subnet = await cloud.subnet(profile.subnets[launch % profile.subnets.length] ?? '')
    if (subnet === undefined)
      return `Misconfigured Fargate Profile: fargate profile ${name} has a subnet that is gone`
    const ip = addressIn(subnet.cidr, launch)
    const hostname = `ip-${ip.replaceAll('.', '-')}.${domainOf(this.#options.region)}`
    const nodeName = `fargate-${hostname}`
    const identity = await cloud.identity(profile.podExecutionRoleArn, nodeName)
    if ('refused' in identity) {
      this.#options.log(`fargate: ${nodeName}: ${identity.refused}`)
      return `Misconfigured Fargate Profile: fargate profile ${name} blocked for new launches due to: Pod execution role is not found in auth config or does not have all required permissions for launching fargate pods.`
    }
    await this.#wait(bootTime)
    if (!this.#pods.has(uid) || this.#stopping.signal.aborted) return undefined
    const order: NodeOrder = {
      machineId: `${randomBytes(5).toString('hex')}-${randomBytes(16).toString('hex')}/${nodeName}`,
      name: nodeName,
      hostname,
      identity,
      privateIp: ip,
      zone: subnet.zone,
      region: this.#options.region,
      instanceType: undefined,
      machine: machineFor(size),
      bootstrap: {
        labels: { [COMPUTE_TYPE]: 'fargate' },
        taints: [{ key: COMPUTE_TYPE, value: 'fargate', effect: 'NoSchedule' }],
        maxPods: 1
      },
      kubeletVersion: this.#options.kubeletVersion,
      kubeletPort: this.#options.kubeletPort
    }
    return this.#join(pod, uid, order, size)
  }

  async #join(pod: Pod, uid: string, order: NodeOrder, size: PodSize): Promise<string | undefined> {
    const { api, nodeStarted, log } = this.#options
    await registerNode(api, order)
    // No heartbeat begins that nobody would stop.
    if (this.#stopping.signal.aborted) return undefined
    const live: LiveNode = {
      name: order.name,
      identity: order.identity,
      allocatable: resourcesOf(order.machine, 1).allocatable,
      podIp: order.privateIp
    }
    const beat = heartbeat(api, order)
    if (!this.#pods.has(uid)) {
      beat.stop()
      await removeNode(api, order.name)
      return undefined
    }
    this.#pods.set(uid, { live, stopHeartbeat: beat.stop })
    nodeStarted(order.name)
    log(`fargate ${order.name}: registered (${size.cpus} vCPU, ${size.memoryGiB} GB, ${order.zone})`)
    const refusal = await this.#bind(pod, order, size).catch((error: unknown) => String(error))
    const node = this.#pods.get(uid)
    if (refusal === undefined || node === undefined) return undefined
    this.#pods.set(uid, undefined)
    await this.#remove(node)
    return refusal
  }

  async #bind(pod: Pod, order: NodeOrder, size: PodSize): Promise<string | undefined> {
    const { api, readyTime } = this.#options
    await this.#wait(readyTime)
    if (this.#stopping.signal.aborted) return undefined
    await makeReady(api, order)
    const { namespace, name, uid } = factsOf(pod)
    const bound = await api.request({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/pods/${name}/binding`,
      body: {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: {
          name,
          namespace,
          uid,
          annotations: {
            CapacityProvisioned: `${size.cpus}vCPU ${size.memoryGiB}GB`,
            Logging: 'LoggingDisabled: LOGGING_CONFIGMAP_NOT_FOUND'
          }
        },
        target: { apiVersion: 'v1', kind: 'Node', name: order.name }
      }
    })
    return bound.status === 201 ? undefined : `${bound.status} ${String(bound.body['message'])}`
  }

  async #end(uid: string): Promise<void> {
    const node = this.#pods.get(uid)
    this.#pods.delete(uid)
    if (node !== undefined) await this.#remove(node)
  }

  async #remove({ live, stopHeartbeat }: FargateNode): Promise<void> {
    stopHeartbeat()
    this.#options.nodeStopped(live.name)
    await removeNode(this.#options.api, live.name)
    this.#options.log(`fargate ${live.name}: gone with its pod`)
  }

  async #wait(milliseconds: number): Promise<void> {
    await pause(milliseconds, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
  }

  #quietly(work: Promise<void>): void {
    work.catch((error: unknown) => this.#options.log(`fargate: ${String(error)}`))
  }
}

async function removeNode(api: ApiClient, name: string): Promise<void> {
  await api.request({ method: 'DELETE', path: `/api/v1/nodes/${name}` })
}

/** A node shows more than Fargate provisions for its pod (aws/containers-roadmap#1976). */
function machineFor({ cpus, memoryGiB }: PodSize): Machine {
  return {
    architecture: 'amd64',
    cpus: Math.max(2, cpus),
    memoryMiB: Math.max(4, memoryGiB) * 1024,
    maxPods: 1
  }
}

function domainOf(region: string): string {
  return region === 'us-east-1' ? 'ec2.internal' : `${region}.compute.internal`
}
