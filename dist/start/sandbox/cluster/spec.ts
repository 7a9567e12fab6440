import type { KarpenterVersion } from '../build/index.js'
import type { Cloud } from '../cloud/index.js'
import type { FargateSelector } from '../cloud/eks/fargate-profile.js'
import type { AuthenticationMode, ClusterSpec } from '../cloud/eks/state.js'
import type { KubernetesVersion } from '../control-plane/index.js'
import type { NodesOptions } from '../nodes/index.js'
import type { UpstreamChanges } from '../published/upstream-files.js'
import type { NodeGroupOrder } from './node-group.js'

/** A release that this action cannot know: the newest one's program and chart under another version. */
export interface LaterRelease extends UpstreamChanges {
  /** 1.99.0 */
  readonly version: string
}

/** A cluster to order, and who may deploy to it. */
export interface SandboxSpec {
  /** eksworkshop when absent. */
  readonly name?: string
  /** ap-northeast-2 when absent. */
  readonly region?: string
  /** Twelve digits; 111122223333 when absent. */
  readonly accountId?: string
  readonly kubernetesVersion?: KubernetesVersion
  /** Releases that are published and that can run: nothing else is built. The newest alone when absent. */
  readonly karpenter?: readonly KarpenterVersion[]
  /** The newest release, published once more as a later one. */
  readonly later?: LaterRelease
  readonly authenticationMode?: AuthenticationMode
  /** Three and three when absent. */
  readonly publicSubnets?: number
  readonly privateSubnets?: number
  readonly zones?: number
  /** Two m5.large over two zones when absent; none at all with a count of 0. */
  readonly nodeGroup?: NodeGroupOrder
  /** Whatever else the cloud's cluster may have: autoMode, zonalShift, tags. */
  readonly cluster?: Partial<
    Pick<ClusterSpec, 'autoMode' | 'zonalShift' | 'tags' | 'serviceIpv4Cidr' | 'ipFamily'>
  >
  /** Fargate profiles over the private subnets, by name: their selectors. */
  readonly fargateProfiles?: Readonly<Record<string, readonly FargateSelector[]>>
  /** Policies of the role that the action assumes; the published ones when absent. */
  readonly deployer?: {
    readonly trust?: unknown
    readonly policy?: unknown
    /** False leaves the role out of the cluster. */
    readonly inCluster?: boolean
    readonly maxSessionSeconds?: number
  }
  /** Whether GitHub's OIDC provider is in the account; true when absent. */
  readonly githubProvider?: boolean
  /** owner/name of the workflow's repository. */
  readonly repository?: string
  readonly subject?: 'legacy' | 'immutable'
  /** Sets the scene before the cluster is handed over. */
  readonly prepare?: (cloud: Cloud) => void | Promise<void>
  readonly nodes?: Pick<NodesOptions, 'bootTime' | 'readyTime' | 'containerTime' | 'imageExists'>
  /**
   * `kept`: one machine for all runs, one after another, whose tool cache they share, as on a self-hosted runner. A fresh
   * machine for each run when absent.
   */
  readonly runner?: 'kept'
  /** Milliseconds until EKS Auth knows a new association, or that one is gone; 500 when absent. */
  readonly associationDelay?: number
  /** The same for the webhook that gives pods their identity at admission; none when absent. */
  readonly webhookDelay?: number
  /** How long the sessions of pods last at most, by IRSA and Pod Identity, seconds; hours, as at AWS, when absent. */
  readonly podSessionSeconds?: number
  /** Milliseconds a CloudFormation resource takes; 100 when absent. */
  readonly stackPace?: number
  readonly log?: (line: string) => void
}
