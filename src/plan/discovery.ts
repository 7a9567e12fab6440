import type { Node } from 'kubernetes-types/core/v1.js'
import type { Adopted } from '../adoption/adoption.js'
import { type FoundIdentity, foundIdentity } from './found-identity.js'
import type { Aws } from '../aws/clients.js'
import { accessDenied, awsProblem, isNotFound } from '../aws/errors.js'
import { type IamRole, readRole } from '../aws/iam-role.js'
import {
  discoverCluster,
  discoverSecurityGroups,
  discoverSubnets,
  type SecurityGroup,
  type Subnet
} from '../aws/discover.js'
import type { InstallRecord } from '../engine/record.js'
import { once } from '../engine/once.js'
import type { Layer, Step } from '../engine/resource.js'
import type { Cluster } from '../aws/environment.js'
import { type Autoscaler, type Controller, findScalers } from '../helm/release.js'
import type { Inputs } from '../inputs/inputs.js'
import { releaseName } from '../karpenter/names.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { StoppedAnsweringError, UnreachableError } from '../kubernetes/errors.js'
import { daemonSets, nodes } from '../kubernetes/kinds.js'
import { notLooked } from '../kubernetes/lean.js'
import { SharedValues } from '../kubernetes/shared-values.js'
import { type NodeFacts, nodeFacts } from '../kubernetes/node-facts.js'
import { autoMode } from '../preflight/auto-mode.js'
import { clusterActive } from '../preflight/cluster-active.js'
import { clusterEndpoint } from '../preflight/vpc/cluster-endpoint.js'
import { runPreflight } from '../preflight/index.js'
import { type NetworkReads, networkReads } from '../preflight/reads/network-reads.js'
import type { Session } from '../run/session.js'
import { type Denied, denialOf } from '../resources/denied.js'
import { installRecord } from './stored-record.js'

/** All that is known of the account and the cluster before anything is decided. Each fact is read once. */
export interface Discovery {
  readonly aws: Aws
  readonly cluster: Cluster
  readonly kubernetes: Kubernetes
  readonly subnets: readonly Subnet[]
  readonly securityGroups: readonly SecurityGroup[]
  /** Every Karpenter controller of the cluster. */
  readonly controllers: readonly Controller[]
  readonly autoscalers: readonly Autoscaler[]
  /** Every node; read when they are first asked for. */
  readonly nodes: () => Promise<readonly NodeFacts[]>
  /** Those that Karpenter did not make, and how many there are in all: of a large cluster's nodes few are others'. */
  readonly othersNodes: () => Promise<{ readonly nodes: readonly NodeFacts[]; readonly ofAll: number }>
  /** Whether the cluster has Linux nodes and every one is Fargate's; asks for one node and not for all. */
  readonly fargateOnly: () => Promise<boolean>
  /** Whether IAM has an OIDC provider of the cluster's issuer; asked when it is first needed. */
  readonly oidcProvider: () => Promise<boolean>
  /** What pods of a service account in that namespace are given at admission, the controller's if it isn't said; asked when it is needed. */
  readonly identityOf: (namespace: string, serviceAccount?: string) => Promise<FoundIdentity | undefined>
  /** IAM's role of that name; asked when it is needed. */
  readonly roleNamed: (name: string) => Promise<IamRole | 'absent' | 'denied'>
  /** Whether kube-system has a DaemonSet of the Pod Identity agent, EKS's add-on or another. */
  readonly podIdentityAgent: boolean
  /** Pods of that DaemonSet; undefined when there is none. */
  readonly podIdentityAgentPods: { readonly desired: number; readonly ready: number } | undefined
  /** What EC2 knows of the cluster's network beyond what was chosen; read when it is first asked for. */
  readonly network: NetworkReads
  readonly record: InstallRecord | undefined
  /** Why what stands in the record's place cannot be read: corrupt, or of a newer release. */
  readonly brokenRecord?: string
  /** That the next install writes the record's values anew: they stand in the ConfigMap, or are gone from the Secret. */
  readonly recordValues?: 'in clear' | 'lost'
  /** What was taken over of an installation that somebody else made. */
  readonly adopted?: Adopted
  /** What the caller may not read. Only the record may be missing in a run that writes. */
  readonly denied: readonly Denied[]
}

/** The cluster, and the clients of a run that has shown who it is. */
export type Reached = Pick<Discovery, 'aws' | 'cluster' | 'kubernetes'>

/** Proves the credentials and finds the cluster. */
export async function reach(inputs: Inputs, session: Session, step: Step): Promise<Reached> {
  const aws = await session.aws()
  step.note(`credentials: ${aws.credentials.source}; caller ${aws.account.callerArn}`)
  const { warning } = aws.serverTime
  if (warning !== undefined) step.warning(warning)
  const cluster = await discoverCluster(aws, inputs.clusterName)
  step.note(
    `cluster: ${cluster.arn}, Kubernetes ${cluster.kubernetesVersion}, authentication mode ${cluster.authenticationMode}`
  )
  // A cluster that is being made has no endpoint yet, and one that has failed may never have had one.
  if (cluster.endpoint === '') await runPreflight({ 'cluster-active': () => clusterActive({ cluster }) })
  const token = session.tokens(aws, cluster.name)
  return { aws, cluster, kubernetes: session.kubernetes(cluster, aws.account.callerArn, token) }
}

/** An endpoint that does not answer is said with what EKS knows of it, and with all else that is known by then. */
async function endpointProblem(cluster: Cluster, error: unknown): Promise<unknown> {
  if (!(error instanceof UnreachableError) || error instanceof StoppedAnsweringError) return error
  const unreachable = error.message.replace(/^cluster endpoint: /, '')
  return runPreflight({
    'cluster-active': () => clusterActive({ cluster }),
    'cluster-endpoint': () => clusterEndpoint({ cluster, unreachable }),
    'auto-mode': () => autoMode({ cluster })
  }).then(
    () => error,
    (refused: unknown) => refused
  )
}

/**
 * Proves the credentials, finds the cluster, and reads all that decisions need, side by side. `denials`: whether a fact
 * that may not be read ends the run, or is noted, with nothing found in its place, because the run writes nothing.
 */
export async function discover(
  inputs: Inputs,
  session: Session,
  step: Step,
  denials: 'end the run' | 'are noted' = 'end the run'
): Promise<Discovery> {
  const denied: Denied[] = []
  const orDenied = async <T>(what: string, layer: Layer, read: Promise<T>, otherwise: T): Promise<T> => {
    if (denials === 'end the run') return read
    return read.catch((error: unknown) => {
      const denial = denialOf(error)
      if (denial === undefined) throw error
      denied.push({ what, layer, ...denial })
      return otherwise
    })
  }
  const { aws, cluster, kubernetes } = await reach(inputs, session, step)
  const pickNodes = async <P>(of: (node: Node) => P): Promise<readonly P[]> => {
    const selection = { page: nodePage, ...notLooked }
    const none = { items: [], resourceVersion: '' }
    return (await orDenied('nodes', 'kubernetes', kubernetes.pick(nodes, of, selection), none)).items
  }
  const oidcProvider = once(async () =>
    orDenied('OIDC providers', 'iam', hasOidcProvider(aws, cluster), false)
  )
  const inCluster = async () => {
    const [scalers, agents, { record, broken, values }] = await Promise.all([
      orDenied('controllers', 'helm', findScalers(kubernetes), { controllers: [], autoscalers: [] }),
      orDenied(
        'Pod Identity agent',
        'kubernetes',
        kubernetes.get(daemonSets, 'eks-pod-identity-agent', 'kube-system'),
        undefined
      ),
      installRecord(kubernetes, step, denied)
    ])
    const isNew = record === undefined && scalers.controllers.length === 0
    // The choice of an identity will ask: beside EC2, and not after it. Whoever takes the answer is told of an error.
    if (inputs.controllerIdentity === 'auto' && isNew && agents === undefined)
      oidcProvider().catch(() => undefined)
    return { scalers, agents, record, broken, values }
  }
  const [subnets, securityGroups, { scalers, agents, record, broken, values }] = await Promise.all([
    orDenied('subnets', 'network', discoverSubnets(aws, cluster, inputs.subnets), []),
    orDenied('security groups', 'network', discoverSecurityGroups(aws, cluster, inputs.securityGroups), []),
    inCluster()
  ]).catch(async (error: unknown) => {
    throw await endpointProblem(cluster, error)
  })
  step.note(`subnets: ${subnets.map((subnet) => `${subnet.id} (${subnet.availabilityZone})`).join(', ')}`)
  step.note(`security groups: ${securityGroups.map((group) => group.id).join(', ')}`)
  if (record !== undefined)
    step.note(`installed before: Karpenter ${record.karpenterVersion} on ${record.time} by ${record.run}`)
  return {
    aws,
    cluster,
    kubernetes,
    subnets,
    securityGroups,
    ...scalers,
    nodes: once(async () => {
      const values = new SharedValues()
      return pickNodes((node) => {
        const facts = nodeFacts(node)
        return { ...facts, labels: values.texts(facts.labels) }
      })
    }),
    othersNodes: once(async () => {
      const all = await pickNodes((node) => (isKarpenters(node) ? undefined : nodeFacts(node)))
      return { nodes: all.flatMap((facts) => facts ?? []), ofAll: all.length }
    }),
    fargateOnly: once(async () => orDenied('nodes', 'kubernetes', hasFargateOnly(kubernetes), false)),
    oidcProvider,
    identityOf: async (namespace, serviceAccount = releaseName) =>
      orDenied(
        'controller identity',
        'eks',
        foundIdentity({ aws, cluster, kubernetes }, namespace, serviceAccount),
        undefined
      ),
    roleNamed: async (name) => roleNamed(aws, name),
    network: networkReads(aws, cluster),
    podIdentityAgent: agents !== undefined,
    podIdentityAgentPods: agents && {
      desired: agents.status?.desiredNumberScheduled ?? 0,
      ready: agents.status?.numberReady ?? 0
    },
    record,
    ...(broken !== undefined && { brokenRecord: broken }),
    ...(values !== undefined && { recordValues: values }),
    denied
  }
}

async function roleNamed(aws: Aws, name: string): Promise<IamRole | 'absent' | 'denied'> {
  try {
    return await readRole(aws, name)
  } catch (error) {
    if (isNotFound(error)) return 'absent'
    if (accessDenied(error) !== undefined) return 'denied'
    throw awsProblem('node-role-name', `role ${name} could not be read`, error)
  }
}

/** Thousands of nodes in a few requests: one has 9 KB, most of them names of images. */
const nodePage = 1_000

function isKarpenters({ metadata }: Node): boolean {
  return metadata?.labels?.['karpenter.sh/nodepool'] !== undefined
}

async function hasFargateOnly(kubernetes: Kubernetes): Promise<boolean> {
  const linux = 'kubernetes.io/os!=windows,eks.amazonaws.com/compute-type'
  if (await kubernetes.any(nodes, { labelSelector: `${linux}!=fargate` })) return false
  return kubernetes.any(nodes, { labelSelector: `${linux}=fargate` })
}

async function hasOidcProvider(aws: Aws, cluster: Cluster): Promise<boolean> {
  const { ListOpenIDConnectProvidersCommand } = await import('../aws/sdk/iam.js')
  const iam = await aws.iam()
  const { OpenIDConnectProviderList = [] } = await iam
    .send(new ListOpenIDConnectProvidersCommand({}))
    .catch((error: unknown) => {
      throw awsProblem('controller-identity', "auto: the account's OIDC providers could not be read", error)
    })
  const suffix = cluster.oidcIssuer.replace('https://', 'oidc-provider/')
  return OpenIDConnectProviderList.some((provider) => provider.Arn?.endsWith(suffix) === true)
}
