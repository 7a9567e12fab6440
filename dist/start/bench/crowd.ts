import { randomUUID } from 'node:crypto'
import type { Sandbox } from '../sandbox/index.js'
import { record, text } from '../sandbox/values.js'

/** Requests that are under way at once. */
const lanes = 24
const nodePools = '/apis/karpenter.sh/v1/nodepools'
const nodeClaims = '/apis/karpenter.sh/v1/nodeclaims'
const leader = '/apis/coordination.k8s.io/v1/namespaces/karpenter/leases/karpenter-leader-election'

/**
 * Gives a sandbox so many nodes more, each with its NodeClaim, as Karpenter's first NodePool would have made them. The
 * controllers are stopped before: nobody has instances for these, and an object stays as it is written. Answers with the
 * seconds that it took.
 */
export async function crowd(sandbox: Sandbox, count: number, ownedBy = 'default'): Promise<number> {
  const startedAt = performance.now()
  await sandbox.controlPlane.stopControllers()
  await sandbox.nodes.stop()
  const pool = record(await get(sandbox, `${nodePools}/${ownedBy}`))
  const poolUid = text(record(pool['metadata'])['uid']) ?? ''
  await manyAtOnce(count, async (index) => {
    const claim = nodeClaim(index, poolUid)
    await post(sandbox, nodeClaims, claim)
    await patch(sandbox, `${nodeClaims}/${claim.metadata.name}/status`, claimStatus(index))
    await post(sandbox, '/api/v1/nodes', node(index))
  })
  // The leader is stopped too, and would be missed: it is as one that goes on renewing its Lease.
  await merge(sandbox, leader, { spec: { renewTime: '2126-01-01T00:00:00.000000Z' } })
  return (performance.now() - startedAt) / 1000
}

/** Calls with 0, 1, ... so many times, some at once. */
export async function manyAtOnce(count: number, make: (index: number) => Promise<void>): Promise<void> {
  const orders = Array.from({ length: count }, (_, index) => index)
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let index = orders.pop(); index !== undefined; index = orders.pop()) await make(index)
    })
  )
}

async function get(sandbox: Sandbox, path: string): Promise<unknown> {
  const answer = await sandbox.kubernetes('GET', path)
  if (answer.status !== 200) throw new Error(`${path}: the API server answered ${answer.status}`)
  return answer.body
}

export async function post(sandbox: Sandbox, path: string, object: unknown): Promise<void> {
  const answer = await sandbox.kubernetes('POST', path, object)
  if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
}

export async function patch(sandbox: Sandbox, path: string, status: unknown): Promise<void> {
  return merge(sandbox, path, { status })
}

async function merge(sandbox: Sandbox, path: string, change: unknown): Promise<void> {
  const answer = await sandbox.kubernetes('PATCH', path, change)
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
}

interface Named {
  readonly metadata: { readonly name: string; readonly [field: string]: unknown }
  readonly [field: string]: unknown
}

const addressOf = (index: number): string => `10.${1 + (index >> 14)}.${(index >> 6) & 255}.${index & 63}`
export const nodeName = (index: number): string =>
  `ip-${addressOf(index).replaceAll('.', '-')}.eu-west-1.compute.internal`
const zoneOf = (index: number): string => `eu-west-1${['a', 'b', 'c'][index % 3] ?? 'a'}`
const providerId = (index: number): string =>
  `aws:///${zoneOf(index)}/i-${index.toString(16).padStart(17, '0')}`
const resources = { cpu: '8', memory: '15896440Ki', 'ephemeral-storage': '83864556Ki', pods: '58' }
const at = '2026-11-01T08:00:00Z'

function labelsOf(index: number): Readonly<Record<string, string>> {
  return {
    'beta.kubernetes.io/arch': 'amd64',
    'beta.kubernetes.io/os': 'linux',
    'failure-domain.beta.kubernetes.io/region': 'eu-west-1',
    'failure-domain.beta.kubernetes.io/zone': zoneOf(index),
    'k8s.io/cloud-provider-aws': '4d9c1b7aa2b25d31ae7ee6a4c1b1a1a5',
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/os': 'linux',
    'karpenter.k8s.aws/ec2nodeclass': 'default',
    'karpenter.k8s.aws/instance-category': 'c',
    'karpenter.k8s.aws/instance-cpu': '8',
    'karpenter.k8s.aws/instance-cpu-manufacturer': 'intel',
    'karpenter.k8s.aws/instance-ebs-bandwidth': '10000',
    'karpenter.k8s.aws/instance-encryption-in-transit-supported': 'true',
    'karpenter.k8s.aws/instance-family': 'c6i',
    'karpenter.k8s.aws/instance-generation': '6',
    'karpenter.k8s.aws/instance-hypervisor': 'nitro',
    'karpenter.k8s.aws/instance-memory': '16384',
    'karpenter.k8s.aws/instance-network-bandwidth': '3125',
    'karpenter.k8s.aws/instance-size': '2xlarge',
    'karpenter.sh/capacity-type': 'spot',
    'karpenter.sh/initialized': 'true',
    'karpenter.sh/nodepool': 'default',
    'karpenter.sh/registered': 'true',
    'node.kubernetes.io/instance-type': 'c6i.2xlarge',
    'topology.ebs.csi.aws.com/zone': zoneOf(index),
    'topology.k8s.aws/zone-id': `euw1-az${(index % 3) + 1}`,
    'topology.kubernetes.io/region': 'eu-west-1',
    'topology.kubernetes.io/zone': zoneOf(index)
  }
}

const hashes = {
  'karpenter.k8s.aws/ec2nodeclass-hash': '6435623543478453204',
  'karpenter.k8s.aws/ec2nodeclass-hash-version': 'v4',
  'karpenter.sh/nodepool-hash': '12123720635554109872',
  'karpenter.sh/nodepool-hash-version': 'v3'
}

/** A node as EKS has them after some days: most of it names of images. About 9 KB once it is stored. */
function node(index: number): Named {
  const name = nodeName(index)
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { ...labelsOf(index), 'kubernetes.io/hostname': name },
      annotations: {
        ...hashes,
        'alpha.kubernetes.io/provided-node-ip': addressOf(index),
        'csi.volume.kubernetes.io/nodeid': `{"ebs.csi.aws.com":"i-${index.toString(16).padStart(17, '0')}"}`,
        'node.alpha.kubernetes.io/ttl': '300',
        'volumes.kubernetes.io/controller-managed-attach-detach': 'true'
      },
      finalizers: ['karpenter.sh/termination']
    },
    spec: { providerID: providerId(index) },
    status: {
      capacity: resources,
      allocatable: { ...resources, cpu: '7910m', memory: '14879608Ki' },
      addresses: [
        { type: 'InternalIP', address: addressOf(index) },
        { type: 'InternalDNS', address: name },
        { type: 'Hostname', address: name }
      ],
      conditions: ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map((type) => ({
        type,
        status: type === 'Ready' ? 'True' : 'False',
        reason: type === 'Ready' ? 'KubeletReady' : `KubeletHasSufficient${type.replace('Pressure', '')}`,
        message: type === 'Ready' ? 'kubelet is posting ready status' : 'kubelet has no pressure',
        lastHeartbeatTime: at,
        lastTransitionTime: at
      })),
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      nodeInfo: {
        architecture: 'amd64',
        bootID: randomUUID(),
        containerRuntimeVersion: 'containerd://2.1.4',
        kernelVersion: '6.12.46-66.121.amzn2023.x86_64',
        kubeProxyVersion: 'v1.35.0-eks-0000000',
        kubeletVersion: 'v1.35.0-eks-0000000',
        machineID: randomUUID().replaceAll('-', ''),
        operatingSystem: 'linux',
        osImage: 'Amazon Linux 2023.9.20251027',
        systemUUID: randomUUID()
      },
      images: Array.from({ length: 16 }, (_, image) => {
        const repository = `602401143452.dkr.ecr.eu-west-1.amazonaws.com/team/service-${image}`
        const digest = image.toString(16).padStart(64, '0')
        return {
          names: [`${repository}@sha256:${digest}`, `${repository}:v1.${image}.0-eksbuild.1`],
          sizeBytes: 40_000_000 + image
        }
      })
    }
  }
}

const claimName = (index: number): string => `default-${index.toString(36).padStart(5, '0')}`

function nodeClaim(index: number, poolUid: string): Named {
  const own = Object.entries(labelsOf(index)).filter(([name]) => name.startsWith('karpenter'))
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: {
      name: claimName(index),
      labels: Object.fromEntries(own),
      annotations: hashes,
      finalizers: ['karpenter.sh/termination'],
      ownerReferences: [
        {
          apiVersion: 'karpenter.sh/v1',
          kind: 'NodePool',
          name: 'default',
          uid: poolUid,
          blockOwnerDeletion: true
        }
      ]
    },
    spec: {
      expireAfter: '720h',
      nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' },
      requirements: [
        { key: 'karpenter.sh/nodepool', operator: 'In', values: ['default'] },
        { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot'] },
        {
          key: 'node.kubernetes.io/instance-type',
          operator: 'In',
          values: ['c6i.2xlarge', 'c6i.4xlarge', 'm6i.2xlarge', 'm6i.4xlarge', 'r6i.2xlarge']
        }
      ],
      resources: { requests: { cpu: '6150m', memory: '10Gi', pods: '12' } }
    }
  }
}

function claimStatus(index: number): Readonly<Record<string, unknown>> {
  return {
    nodeName: nodeName(index),
    providerID: providerId(index),
    imageID: 'ami-0123456789abcdef0',
    capacity: resources,
    allocatable: resources,
    conditions: ['Launched', 'Registered', 'Initialized', 'Consolidatable', 'Ready'].map((type) => ({
      type,
      status: 'True',
      reason: type,
      message: '',
      observedGeneration: 1,
      lastTransitionTime: at
    }))
  }
}
