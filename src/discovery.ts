import type { Aws } from './aws/clients.js'
import {
  discoverCluster,
  discoverSecurityGroups,
  discoverSubnets,
  type SecurityGroup,
  type Subnet
} from './aws/discover.js'
import type { Node } from 'kubernetes-types/core/v1.js'
import { type InstallRecord, parseRecord } from './engine/record.js'
import type { Step } from './engine/resource.js'
import type { Cluster } from './environment.js'
import { type Controller, findControllers } from './helm/release.js'
import type { Inputs } from './inputs.js'
import type { Kubernetes } from './kubernetes/client.js'
import { daemonSets, nodes } from './kubernetes/kinds.js'
import { readRecord } from './kubernetes/record-store.js'
import type { Session } from './session.js'

/** All that is known of the account and the cluster before anything is decided. Each fact is read once. */
export interface Discovery {
  readonly aws: Aws
  readonly cluster: Cluster
  readonly kubernetes: Kubernetes
  /** Tokens of the cluster's API, for helm. */
  readonly token: () => Promise<string>
  readonly subnets: readonly Subnet[]
  readonly securityGroups: readonly SecurityGroup[]
  /** Every Karpenter controller of the cluster. */
  readonly controllers: readonly Controller[]
  readonly nodes: readonly Node[]
  /** Whether kube-system has a DaemonSet of the Pod Identity agent, EKS's add-on or another. */
  readonly podIdentityAgent: boolean
  readonly record: InstallRecord | undefined
}

/** Proves the credentials, finds the cluster, and reads all that decisions need, side by side. */
export async function discover(inputs: Inputs, session: Session, step: Step): Promise<Discovery> {
  const aws = await session.aws()
  step.note(`credentials: ${aws.credentials.source}; caller ${aws.account.callerArn}`)
  const cluster = await discoverCluster(aws, inputs.clusterName)
  step.note(
    `cluster: ${cluster.arn}, Kubernetes ${cluster.kubernetesVersion}, authentication mode ${cluster.authenticationMode}`
  )
  const token = session.tokens(aws, cluster.name)
  const kubernetes = session.kubernetes(cluster, aws.account.callerArn, token)
  const [subnets, securityGroups, controllers, nodeList, agents, record] = await Promise.all([
    discoverSubnets(aws, cluster, inputs.subnets),
    discoverSecurityGroups(aws, cluster, inputs.securityGroups),
    findControllers(kubernetes),
    kubernetes.list(nodes),
    kubernetes.get(daemonSets, 'eks-pod-identity-agent', 'kube-system'),
    installRecord(kubernetes, step)
  ])
  step.note(`subnets: ${subnets.map((subnet) => `${subnet.id} (${subnet.availabilityZone})`).join(', ')}`)
  step.note(`security groups: ${securityGroups.map((group) => group.id).join(', ')}`)
  step.note(`nodes: ${nodeList.items.length}`)
  if (record !== undefined)
    step.note(`installed before: Karpenter ${record.karpenterVersion} on ${record.time} by ${record.run}`)
  return {
    aws,
    cluster,
    kubernetes,
    token,
    subnets,
    securityGroups,
    controllers,
    nodes: nodeList.items,
    podIdentityAgent: agents !== undefined,
    record
  }
}

/** Losing the record loses no cluster: without it everything is compared afresh. */
export async function installRecord(kubernetes: Kubernetes, step: Step): Promise<InstallRecord | undefined> {
  const stored = await readRecord(kubernetes)
  if (stored.state === 'present') return parseRecord(stored.text)
  if (stored.state !== 'absent')
    step.warning(`record kube-system/setup-karpenter: ${stored.reason}; going on without it`)
  return undefined
}
