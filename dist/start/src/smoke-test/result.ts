import type { Took } from './took.js'

/** Seconds of a stage, to the second: Kubernetes' timestamps are no finer. */
export interface StageSeconds {
  /** EC2 answered with an instance. */
  readonly launched: number | undefined
  /** Its kubelet joined as a node. */
  readonly registered: number | undefined
  /** The node is ready, its startup taints are gone. */
  readonly initialized: number | undefined
}

export interface SmokeTestNode {
  readonly name: string
  readonly uid: string
  /** i-... */
  readonly instanceId: string
  readonly instanceType: string
  readonly zone: string
  /** spot, on-demand or reserved. */
  readonly capacityType: string
  /** Since its NodeClaim was made. */
  readonly seconds: StageSeconds
  /** Pods of the smoke test on it. */
  readonly pods: number
}

/** An event that Karpenter wrote about the test's objects. */
export interface KarpenterEvent {
  /** RFC 3339. */
  readonly time: string
  readonly reason: string
  /** `NodeClaim/smoke-test-1-x7k2p` */
  readonly object: string
  readonly message: string
}

/** The result of one NodePool's test. */
export interface NodePoolResult extends SmokeTestResult {
  /** Name of the NodePool under test. */
  readonly nodePool: string
}

export interface SmokeTestResult {
  /** Nodes of the cluster when the test began, and when its pods ran. */
  readonly nodesBefore: number
  readonly nodesAfter: number
  /** Nodes that the test's NodePool made, by UID not among those before. */
  readonly nodesAdded: number
  readonly nodes: readonly SmokeTestNode[]
  readonly podsRunning: number
  /** Since the Deployment was made, until the last node or pod of each stage. */
  readonly stages: StageSeconds & { readonly podsRunning: number }
  /** Since the Deployment was made, until its last node was initialized. */
  readonly nodeReadySeconds: number
  /** From scaling to zero until the last NodeClaim and its instance were gone. */
  readonly scaleDownSeconds: number
  /** When the Deployment was made and when it was scaled to zero: milliseconds since the epoch, by AWS's clock. */
  readonly scaledUpAt: number
  readonly scaledDownAt: number
  /** How the nodes went. */
  readonly scaleDown: 'consolidated' | 'by deleting the NodePool'
  readonly took: Took
  readonly events: readonly KarpenterEvent[]
}
