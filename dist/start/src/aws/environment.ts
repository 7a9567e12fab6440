/** What a run knows of the account and the cluster before the model is made. */
export interface Account {
  readonly id: string
  readonly partition: 'aws' | 'aws-cn' | 'aws-us-gov'
  readonly region: string
  /** amazonaws.com or amazonaws.com.cn */
  readonly urlSuffix: string
  /** As GetCallerIdentity says it. */
  readonly callerArn: string
}

/** The cluster as eks:DescribeCluster says it. */
export interface Cluster {
  readonly name: string
  readonly arn: string
  /** 1.32 */
  readonly kubernetesVersion: string
  readonly status: string
  readonly endpoint: string
  /** Who may reach the endpoint. */
  readonly endpointAccess: {
    readonly publicly: boolean
    readonly privately: boolean
    /** From where, when publicly. */
    readonly cidrs: readonly string[]
  }
  /** PEM. */
  readonly certificateAuthority: string
  readonly authenticationMode: 'API' | 'API_AND_CONFIG_MAP' | 'CONFIG_MAP'
  /** https://oidc.eks.<region>.amazonaws.com/id/... */
  readonly oidcIssuer: string
  readonly vpcId: string
  readonly subnetIds: readonly string[]
  readonly clusterSecurityGroupId: string
  readonly autoMode: boolean
  /** Of the addresses of pods and services; ipv4 when absent. */
  readonly ipFamily?: 'ipv4' | 'ipv6'
  readonly tags: Readonly<Record<string, string>>
}

/** Who did it: goes on everything that is created, as AWS tags and Kubernetes labels or annotations. */
export interface Ownership {
  /** setup-karpenter */
  readonly owner: string
  /** URL of the workflow run, or `local`. */
  readonly run: string
}
