import { join } from 'node:path'
import type { Authority, IssuedCertificate } from '../certificates.js'
import { connectApi, type ApiIdentity } from './api-client.js'
import {
  installPodIdentityAgent,
  removePodIdentityAgent,
  AGENT_LABEL,
  AGENT_NAME
} from './agent-daemon-set.js'
import { startFargate, type Fargate, type FargateCloud } from './fargate/index.js'
import type { PodNetwork } from './init-container.js'
import { startKubeletServer } from './kubelet-server.js'
import { machineOf, resourcesOf, type Machine } from './machine.js'
import { heartbeat, makeReady, registerNode, type NodeOrder } from './node.js'
import { startPodIdentityAgent, type AgentCredentials } from './pod-identity-agent.js'
import { startPodIdentityWebhook } from './pod-identity-webhook.js'
import { Pods, type LiveNode } from './pods.js'
import { parseUserData, type NodeBootstrap } from './user-data.js'

/** An instance, as far as its boot is concerned. */
export interface BootingInstance {
  readonly id: string
  readonly state: string
  readonly type: string
  readonly zone: string
  readonly privateIp: string
  readonly privateDnsName: string
  readonly tags: Readonly<Record<string, string>>
  readonly userData: string
  readonly profile?: string
}

export interface NodesOptions {
  readonly region: string
  readonly clusterName: string
  /** 1.32 */
  readonly kubernetesVersion: string
  readonly apiEndpoint: string
  /** Where EKS says at present that the API server is: a relay's address, say, which user data may name as well. */
  readonly statedEndpoint?: () => string | undefined
  /** PEM */
  readonly apiCa: string
  readonly admin: IssuedCertificate
  readonly authority: Authority
  readonly cloudUrl: string
  readonly folder: string
  /** Every instance of the region, terminated ones too. */
  readonly instances: () => Promise<readonly BootingInstance[]>
  /** Calls back after each launch and termination; returns the way to stop that. */
  readonly onInstancesChanged: (listener: () => void) => () => unknown
  /** EC2's description of an instance type. */
  readonly describeType: (type: string) => Promise<Readonly<Record<string, unknown>>>
  /** Role of an instance profile, by the profile's name or ARN. */
  readonly roleOf: (profile: string) => string | undefined
  readonly nodeIdentity: (node: {
    readonly roleArn: string
    readonly instanceId: string
    readonly privateDnsName: string
  }) => Promise<ApiIdentity | { readonly refused: string }>
  readonly credentialsOf: (roleArn: string) => AgentCredentials
  readonly hasAssociation: (namespace: string, serviceAccount: string) => boolean
  /** What pods on an instance reach; on Fargate where there is none. */
  readonly network: (instanceId: string | undefined) => Promise<PodNetwork>
  /** Without it the cluster has no Fargate. */
  readonly fargate?: FargateCloud
  readonly controllerBinary: (image: string) => string | undefined
  readonly imageExists?: (image: string) => boolean
  /** Milliseconds from launch to registration, and from that to Ready; 400 and 300 when absent. */
  readonly bootTime?: number
  readonly readyTime?: number
  /** Milliseconds that a container takes to start or stop; 100 when absent. */
  readonly containerTime?: number
  readonly log?: (line: string) => void
  /** Is told of each controller process that is started. */
  readonly onProcess?: (pid: number | undefined, ended: Promise<unknown>) => void
}

export interface Nodes {
  /** Names of the nodes whose kubelets run. */
  readonly names: () => readonly string[]
  /** What kubelets that could not join said. */
  readonly refusals: readonly string[]
  /** Makes or removes the objects of an EKS add-on and waits until its pods are ready. */
  addon(change: 'install' | 'remove', name: string, version: string): Promise<void>
  /** Ends the pods that Fargate runs by this profile, and waits until they are gone. */
  removeFargatePods(profileName: string): Promise<void>
  /** Ends every kubelet and what it runs, Karpenter too, and leaves their objects as they are. */
  stop(): Promise<void>
}

interface Booted {
  readonly order: NodeOrder
  readonly roleArn: string
  readonly live: LiveNode
  stopHeartbeat: () => void
}

/** A refused kubelet asks again after this, milliseconds. */
export const tryAgain = 1000

/** Plays the kubelets of every instance that boots into this cluster, until stopped. */
export async function startNodes(options: NodesOptions): Promise<Nodes> {
  const log = options.log ?? ((): void => undefined)
  const api = connectApi({
    endpoint: options.apiEndpoint,
    caPem: options.apiCa,
    certPem: options.admin.certPem,
    keyPem: options.admin.keyPem
  })
  const booted = new Map<string, Booted>()
  const seen = new Set<string>()
  const refusals: string[] = []
  const machines = new Map<string, Promise<Machine>>()
  const timers = new Set<NodeJS.Timeout>()
  let stopped = false
  const byName = (name: string): Booted | undefined =>
    [...booted.values()].find((one) => one.live.name === name)
  const caData = Buffer.from(options.apiCa).toString('base64')

  const agent = await startPodIdentityAgent({
    cloudUrl: options.cloudUrl,
    region: options.region,
    clusterName: options.clusterName,
    nodeCredentials: (name) => {
      const node = byName(name)
      return node === undefined ? undefined : options.credentialsOf(node.roleArn)
    },
    agentReady: (name) => pods.hasReady(name, AGENT_LABEL, AGENT_NAME)
  })
  const pods = new Pods({
    api,
    node: (name) => byName(name)?.live ?? fargate?.node(name),
    imageExists: options.imageExists ?? (() => true),
    controllerBinary: options.controllerBinary,
    folder: join(options.folder, 'pods'),
    apiEndpoint: options.apiEndpoint,
    apiCaData: caData,
    cloudUrl: options.cloudUrl,
    agentUrl: (node) => agent.urlOn(node),
    network: async (name) => options.network(byName(name)?.order.machineId),
    containerTime: options.containerTime ?? 100,
    onProcess: options.onProcess ?? (() => undefined),
    log
  })
  const kubelets = await startKubeletServer(options.authority, (request) => pods.logOf(request))
  const webhook = await startPodIdentityWebhook({
    api,
    authority: options.authority,
    region: options.region,
    hasAssociation: options.hasAssociation
  })
  const kubeletVersion = `v${options.kubernetesVersion}.0-eks-0000000`
  const fargate: Fargate | undefined =
    options.fargate === undefined
      ? undefined
      : await startFargate({
          api,
          authority: options.authority,
          cloud: options.fargate,
          region: options.region,
          kubeletVersion,
          kubeletPort: kubelets.port,
          bootTime: options.bootTime ?? 400,
          readyTime: options.readyTime ?? 300,
          nodeStarted: (name) => pods.nodeStarted(name),
          nodeStopped: (name) => pods.nodeStopped(name),
          log
        })
  const watch = api.watch('/api/v1/pods', ({ type, object }) => {
    pods.take(type, object)
    fargate?.take(type, object)
  })

  const later = (milliseconds: number, work: () => Promise<void>): void => {
    if (stopped) {
      return
    }
    const timer = setTimeout(() => {
      timers.delete(timer)
      work().catch((error: unknown) => log(`nodes: ${String(error)}`))
    }, milliseconds)
    timers.add(timer)
  }
  const refuse = (instance: BootingInstance, reason: string): void => {
    const line = `kubelet ${instance.privateDnsName}: ${reason}`
    if (!refusals.includes(line)) {
      refusals.push(line)
      log(line)
    }
  }
  const machineFor = async (type: string): Promise<Machine> => {
    const known = machines.get(type) ?? options.describeType(type).then(machineOf)
    machines.set(type, known)
    known.catch(() => machines.delete(type))
    return known
  }

  /** Reads the instance anew each time: its profile may be told of a moment after the instance is. */
  const boot = async (id: string): Promise<void> => {
    const instance = (await options.instances()).find((one) => one.id === id)
    if (instance === undefined || !seen.has(id)) {
      return
    }
    const bootstrap = bootstrapOf(instance, options, caData)
    if ('reason' in bootstrap) {
      refuse(instance, bootstrap.reason)
      return
    }
    const roleArn = instance.profile === undefined ? undefined : options.roleOf(instance.profile)
    const identity: ApiIdentity | { readonly refused: string } =
      roleArn === undefined
        ? { refused: 'the instance has no role' }
        : await options.nodeIdentity({
            roleArn,
            instanceId: instance.id,
            privateDnsName: instance.privateDnsName
          })
    if ('refused' in identity || roleArn === undefined) {
      const why = 'refused' in identity ? identity.refused : ''
      refuse(instance, `Unable to register node with API server: Unauthorized (${why})`)
      bootLater(id, tryAgain)
      return
    }
    const machine = await machineFor(instance.type)
    const order: NodeOrder = {
      machineId: instance.id,
      name: instance.privateDnsName,
      hostname: instance.privateDnsName,
      identity,
      privateIp: instance.privateIp,
      zone: instance.zone,
      region: options.region,
      instanceType: instance.type,
      machine,
      bootstrap,
      kubeletVersion,
      kubeletPort: kubelets.port
    }
    const live: LiveNode = {
      name: order.name,
      identity,
      allocatable: resourcesOf(machine, bootstrap.maxPods ?? machine.maxPods).allocatable
    }
    const node: Booted = { order, roleArn, live, stopHeartbeat: () => undefined }
    booted.set(instance.id, node)
    try {
      await registerNode(api, order)
    } catch (error) {
      booted.delete(instance.id)
      log(`kubelet ${order.name}: not registered: ${String(error)}`)
      bootLater(id, tryAgain)
      return
    }
    if (stopped) {
      return
    }
    if (booted.get(instance.id) !== node) {
      log(`kubelet ${order.name}: its machine went while it registered`)
      removeNode(order.name)
      return
    }
    node.stopHeartbeat = heartbeat(api, order).stop
    pods.nodeStarted(order.name)
    log(`kubelet ${order.name}: registered (${instance.type}, ${instance.zone})`)
    const ready = async (): Promise<void> => {
      if (booted.get(instance.id) !== node) {
        return
      }
      try {
        await makeReady(api, order)
      } catch (error) {
        log(`kubelet ${order.name}: status not taken: ${String(error)}`)
        later(tryAgain, ready)
      }
    }
    later(options.readyTime ?? 300, ready)
  }

  /** EKS's node lifecycle controller removes the Node of an instance that is gone. */
  const removeNode = (name: string): void =>
    later(1000, async () => {
      await api.request({ method: 'DELETE', path: `/api/v1/nodes/${name}` })
    })

  const bootLater = (id: string, milliseconds: number): void =>
    later(milliseconds, async () => {
      try {
        await boot(id)
      } catch (error) {
        log(`nodes: ${id} did not boot: ${String(error)}`)
        bootLater(id, tryAgain)
      }
    })

  const end = async (id: string): Promise<void> => {
    const node = booted.get(id)
    seen.delete(id)
    booted.delete(id)
    if (node !== undefined) {
      node.stopHeartbeat()
      pods.nodeStopped(node.live.name)
      log(`kubelet ${node.live.name}: its machine is gone`)
      removeNode(node.live.name)
    }
  }

  let isDue = false
  const compare = async (): Promise<void> => {
    isDue = false
    const instances = await options.instances()
    const alive = new Set<string>()
    for (const instance of instances) {
      if (instance.state !== 'pending' && instance.state !== 'running') {
        continue
      }
      alive.add(instance.id)
      if (!seen.has(instance.id)) {
        seen.add(instance.id)
        bootLater(instance.id, options.bootTime ?? 400)
      }
    }
    await Promise.all([...seen].filter((id) => !alive.has(id)).map(end))
  }
  let comparing: Promise<void> = Promise.resolve()
  const changed = (): void => {
    // Hundreds of launches at once are one look, and not each a list of all.
    if (isDue) return
    isDue = true
    comparing = comparing.then(compare).catch((error: unknown) => log(`nodes: ${String(error)}`))
  }
  const stopListening = options.onInstancesChanged(changed)
  changed()

  const stopAll = async (): Promise<void> => {
    stopped = true
    stopListening()
    for (const timer of timers) {
      clearTimeout(timer)
    }
    watch.stop()
    for (const node of booted.values()) {
      node.stopHeartbeat()
    }
    await pods.stop()
    await Promise.all([webhook.stop(), fargate?.stop(), agent.stop(), kubelets.stop()])
    api.close()
  }
  let stopping: Promise<void> | undefined

  return {
    names: () => [...[...booted.values()].map((node) => node.live.name), ...(fargate?.names() ?? [])],
    refusals,
    addon: async (change, name, version) => {
      if (name === AGENT_NAME) {
        await (change === 'install' ? installPodIdentityAgent(api, version) : removePodIdentityAgent(api))
      }
    },
    removeFargatePods: async (profileName) => fargate?.removePods(profileName),
    stop: async () => (stopping ??= stopAll())
  }
}

/** What the instance was told at launch; a managed node group's instance is told by EKS itself. */
function bootstrapOf(
  instance: BootingInstance,
  options: NodesOptions,
  caData: string
): NodeBootstrap | { readonly reason: string } {
  const group = instance.tags['eks:nodegroup-name']
  if (instance.userData === '' && group !== undefined) {
    return {
      clusterName: options.clusterName,
      endpoint: options.apiEndpoint,
      certificateAuthority: caData,
      labels: {
        'eks.amazonaws.com/nodegroup': group,
        'eks.amazonaws.com/capacityType': 'ON_DEMAND'
      },
      taints: [],
      maxPods: undefined
    }
  }
  const parsed = parseUserData(instance.userData)
  if (parsed.kind === 'unreadable') {
    return { reason: `user data: ${parsed.reason}` }
  }
  const { clusterName, endpoint, certificateAuthority } = parsed.bootstrap
  if (clusterName !== options.clusterName) {
    return { reason: `user data names the cluster ${clusterName}` }
  }
  if (endpoint !== options.apiEndpoint && endpoint !== options.statedEndpoint?.()) {
    return { reason: `user data names the API server ${endpoint}, where no cluster answers` }
  }
  if (certificateAuthority !== caData) {
    return { reason: 'tls: failed to verify certificate: x509: certificate signed by unknown authority' }
  }
  return parsed.bootstrap
}
