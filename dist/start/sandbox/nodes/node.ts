import type { ApiAnswer, ApiClient, ApiIdentity } from './api-client.js'
import { resourcesOf, type Machine } from './machine.js'
import type { NodeBootstrap } from './user-data.js'

/** A machine that may join, an EC2 instance or one of Fargate's, and everything its kubelet knows of itself. */
export interface NodeOrder {
  /** What stands behind the zone in the node's provider id: i-0123456789abcdef0 */
  readonly machineId: string
  readonly name: string
  readonly hostname: string
  readonly identity: ApiIdentity
  readonly privateIp: string
  readonly zone: string
  readonly region: string
  /** Undefined on Fargate. */
  readonly instanceType: string | undefined
  readonly machine: Machine
  readonly bootstrap: Pick<NodeBootstrap, 'labels' | 'taints' | 'maxPods'>
  /** v1.32.0 */
  readonly kubeletVersion: string
  /** Port of the server that answers for this kubelet. */
  readonly kubeletPort: number
}

const LEASE_SECONDS = 40
const RENEW = 10_000

/** Registers the node NotReady, as a kubelet does before the network plugin is there. Throws what the server says. */
export async function registerNode(api: ApiClient, order: NodeOrder): Promise<void> {
  const maxPods = order.bootstrap.maxPods ?? order.machine.maxPods
  const answer = await api.request({
    method: 'POST',
    path: '/api/v1/nodes',
    as: order.identity,
    body: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: order.name,
        labels: {
          ...order.bootstrap.labels,
          'kubernetes.io/hostname': order.hostname,
          'kubernetes.io/arch': order.machine.architecture,
          'kubernetes.io/os': 'linux',
          'beta.kubernetes.io/arch': order.machine.architecture,
          'beta.kubernetes.io/os': 'linux'
        }
      },
      spec: {
        providerID: `aws:///${order.zone}/${order.machineId}`,
        taints: order.bootstrap.taints.map((taint) => ({ ...taint }))
      },
      status: {
        ...resourcesOf(order.machine, maxPods),
        addresses: [
          { type: 'InternalIP', address: order.privateIp },
          // Where the API server reaches the kubelet; the addresses above lead nowhere on this machine.
          { type: 'ExternalIP', address: '127.0.0.1' },
          { type: 'InternalDNS', address: order.name },
          { type: 'Hostname', address: order.name }
        ],
        daemonEndpoints: { kubeletEndpoint: { Port: order.kubeletPort } },
        nodeInfo: {
          architecture: order.machine.architecture,
          operatingSystem: 'linux',
          osImage: 'Amazon Linux 2023',
          kernelVersion: '6.12.0',
          containerRuntimeVersion: 'containerd://2.1.5',
          kubeletVersion: order.kubeletVersion,
          kubeProxyVersion: '',
          bootID: '',
          machineID: order.machineId,
          systemUUID: order.machineId
        },
        conditions: [
          readyCondition(
            'False',
            'KubeletNotReady',
            'container runtime network not ready: cni plugin not initialized'
          )
        ]
      }
    }
  })
  if (answer.status !== 201 && answer.status !== 409) {
    throw refused(order, answer)
  }
  // What the AWS cloud controller manager adds to every node.
  await api.request({
    method: 'PATCH',
    path: `/api/v1/nodes/${order.name}`,
    body: {
      metadata: {
        labels: {
          ...(order.instanceType !== undefined && {
            'node.kubernetes.io/instance-type': order.instanceType,
            'beta.kubernetes.io/instance-type': order.instanceType
          }),
          'topology.kubernetes.io/region': order.region,
          'topology.kubernetes.io/zone': order.zone,
          'failure-domain.beta.kubernetes.io/region': order.region,
          'failure-domain.beta.kubernetes.io/zone': order.zone,
          'topology.k8s.aws/zone-id': zoneId(order.zone)
        }
      }
    }
  })
}

/** The network plugin is there: the node is Ready. Rejects when the API server does not take that. */
export async function makeReady(api: ApiClient, order: NodeOrder): Promise<void> {
  const healthy = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({
    ...condition(
      'False',
      `KubeletHas${type.startsWith('Disk') ? 'NoDiskPressure' : `Sufficient${type.replace('Pressure', '')}`}`,
      ''
    ),
    type
  }))
  const answer = await api.request({
    method: 'PATCH',
    path: `/api/v1/nodes/${order.name}/status`,
    as: order.identity,
    contentType: 'application/strategic-merge-patch+json',
    body: {
      status: {
        conditions: [...healthy, readyCondition('True', 'KubeletReady', 'kubelet is posting ready status')]
      }
    }
  })
  if (answer.status !== 200) throw refused(order, answer)
}

function refused(order: NodeOrder, answer: ApiAnswer): Error {
  return new Error(`${order.name}: ${answer.status} ${JSON.stringify(answer.body['message'] ?? answer.body)}`)
}

/** Renews the node's lease, without which the node lifecycle controller takes the node for dead. */
export function heartbeat(api: ApiClient, order: NodeOrder): { readonly stop: () => void } {
  const collection = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'
  const spec = (): Readonly<Record<string, unknown>> => ({
    holderIdentity: order.name,
    leaseDurationSeconds: LEASE_SECONDS,
    renewTime: `${new Date().toISOString().slice(0, -1)}000Z`
  })
  const beat = async (): Promise<void> => {
    const renewed = await api.request({
      method: 'PATCH',
      path: `${collection}/${order.name}`,
      as: order.identity,
      body: { spec: spec() }
    })
    if (renewed.status === 404) {
      await api.request({
        method: 'POST',
        path: collection,
        as: order.identity,
        body: {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: order.name, namespace: 'kube-node-lease' },
          spec: spec()
        }
      })
    }
  }
  // A beat that is lost to a stopping API server is made good by the next.
  const quietly = (): void => void beat().catch(() => undefined)
  quietly()
  const timer = setInterval(quietly, RENEW)
  return { stop: () => clearInterval(timer) }
}

function condition(status: string, reason: string, message: string): Readonly<Record<string, string>> {
  const now = `${new Date().toISOString().slice(0, 19)}Z`
  return { status, reason, message, lastHeartbeatTime: now, lastTransitionTime: now }
}

function readyCondition(status: string, reason: string, message: string): Readonly<Record<string, string>> {
  return { ...condition(status, reason, message), type: 'Ready' }
}

/** eu-west-1a -> euw1-az1: a stand-in of the right shape. */
function zoneId(zone: string): string {
  const [, area = '', direction = '', number = '', letter = 'a'] =
    /^([a-z]+(?:-gov)?)-([a-z]+)-(\d)([a-z])$/.exec(zone) ?? []
  return `${area.replace('-gov', 'g')}${direction.slice(0, 1)}${number}-az${letter.charCodeAt(0) - 96}`
}
