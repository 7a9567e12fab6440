import { oldest, type Sandbox, type SandboxSpec } from '../../sandbox/index.js'

/** What stands after another tool has installed Karpenter, by the names that this tool gave. */
export interface Made {
  /** Of the release and of the controller's service account. */
  readonly namespace: string
  readonly release: string
  /** Names, without path; a tool that makes a name up has made up this one. */
  readonly controllerRole: string
  readonly nodeRole: string
  readonly identity: 'irsa' | 'pod-identity'
  /** True where the controller's pods run on Fargate. */
  readonly onFargate?: true
  readonly nodeAccess: 'access-entry' | 'aws-auth'
  /** CloudFormation stacks in the order in which they were made; none where the tool makes none. */
  readonly stacks: readonly string[]
  /** The one of the published template where it has another name than the guide gives it. */
  readonly policyStack?: string
  /** Of EventBridge's messages; undefined where there is none. */
  readonly queue: string | undefined
  /** The queue is made, and the release is not set to it. */
  readonly queueUnheard?: true
  readonly nodePools: readonly string[]
  readonly nodeClasses: readonly string[]
  /** Field manager of these objects; kubectl apply's when absent. */
  readonly objectsBy?: string
}

/** A tool that installs Karpenter, and the cluster on which it does. */
export interface Shape {
  /** For a test's title: "eksctl's karpenter section". */
  readonly name: string
  readonly spec: SandboxSpec
  /** Resolves when the tool would end: controller Ready, NodePools and EC2NodeClasses written. */
  make(sandbox: Sandbox): Promise<Made>
}

/** The release that every shape installs, so that there is one to upgrade to. */
export const installedVersion = oldest
/** Supported by that release and by the newest alike. */
export const kubernetesVersion = '1.32'
