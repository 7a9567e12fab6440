/** Every input, typed. parseInputs (below) fills it; action.yml lists the same names in the same order. */
export type Mode = 'install' | 'check' | 'smoke-test' | 'uninstall'
export type IdentityChoice = 'auto' | 'irsa' | 'pod-identity'
export type NodeAccessChoice = 'auto' | 'access-entry' | 'aws-auth'

export type CredentialsInput =
  | {
      readonly kind: 'oidc'
      readonly roleArn: string
      readonly sessionName: string
      readonly durationSeconds: number
      /** Undefined: by the region's partition. */
      readonly audience: string | undefined
    }
  | { readonly kind: 'chain' }

export type SubnetsInput =
  | { readonly kind: 'cluster' }
  | { readonly kind: 'private' }
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  | { readonly kind: 'tag'; readonly key: string; readonly value: string }

export type SecurityGroupsInput =
  { readonly kind: 'cluster' } | { readonly kind: 'ids'; readonly ids: readonly string[] }

export type TemplateInput =
  | { readonly kind: 'upstream' }
  | { readonly kind: 'built-in' }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string }

export type NodePoolsInput =
  | { readonly kind: 'default' }
  | { readonly kind: 'none' }
  /** `source` is what errors call it: the path, or `node-pools`. */
  | { readonly kind: 'manifests'; readonly source: string; readonly text: string }

/** `stack`: the queue that the stack makes. */
export type QueueInput =
  { readonly kind: 'stack' } | { readonly kind: 'none' } | { readonly kind: 'named'; readonly name: string }

export interface SmokeTestInput {
  readonly replicas: number
  readonly onePerNode: boolean
  readonly image: string
  readonly timeoutSeconds: number
}

export interface Inputs {
  readonly mode: Mode
  readonly clusterName: string
  readonly region: string
  readonly credentials: CredentialsInput
  readonly allowedAccountIds: readonly string[]
  /** Exact version without a leading v, or undefined: the installed one, else the newest for the cluster. */
  readonly karpenterVersion: string | undefined
  readonly namespace: string
  readonly controllerIdentity: IdentityChoice
  readonly controllerRoleName: string
  readonly nodeRoleName: string
  readonly nodeAccess: NodeAccessChoice
  readonly subnets: SubnetsInput
  readonly securityGroups: SecurityGroupsInput
  readonly template: TemplateInput
  readonly stackName: string
  /** oci://... without a version, or the path of a chart. */
  readonly chart: string
  /** A semver range that a helm on the PATH must satisfy; also which one is downloaded. */
  readonly helmVersion: string
  /** Base URL: archives are taken from `<base>/helm-v<version>-<os>-<arch>.tar.gz`. */
  readonly helmDownloadUrl: string
  /** helm-values-file overlaid with helm-values. */
  readonly helmValues: Readonly<Record<string, unknown>>
  readonly nodePools: NodePoolsInput
  readonly interruptionQueue: QueueInput
  readonly permissionsBoundary: string | undefined
  readonly tags: Readonly<Record<string, string>>
  /** Undefined when smoke-test is false. */
  readonly smokeTest: SmokeTestInput | undefined
  readonly timeoutSeconds: number
  readonly summary: boolean
}
