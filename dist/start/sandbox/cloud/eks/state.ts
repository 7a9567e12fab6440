import { randomBytes, randomUUID } from 'node:crypto'
import { History } from '../history.js'
import { awsId, type Home } from '../partition.js'
import { AwsError } from '../service.js'
import type { FargateInCluster, FargateProfile } from './fargate-profile.js'

export type AuthenticationMode = 'API' | 'API_AND_CONFIG_MAP' | 'CONFIG_MAP'

export interface NodegroupSpec {
  readonly name: string
  readonly nodeRole: string
  readonly subnets: readonly string[]
  readonly instanceTypes?: readonly string[]
  readonly desiredSize?: number
  readonly launchTemplate?: { readonly id: string; readonly name: string; readonly version: string }
}

/** A cluster to order. */
export interface ClusterSpec {
  readonly name: string
  /** Kubernetes minor version: 1.34 */
  readonly version: string
  readonly authenticationMode: AuthenticationMode
  readonly vpcId: string
  readonly subnetIds: readonly string[]
  readonly clusterSecurityGroupId: string
  /** 10.100.0.0/16 when absent. */
  readonly serviceIpv4Cidr?: string
  /** ipv4 when absent. */
  readonly ipFamily?: 'ipv4' | 'ipv6'
  /** ARN of the role that made the cluster; it is administrator unless `bootstrapCreator` is false. */
  readonly creatorArn?: string
  readonly bootstrapCreator?: boolean
  readonly autoMode?: boolean
  /** What DescribeCluster says when it is not simply ACTIVE. */
  readonly status?: 'CREATING' | 'UPDATING' | 'DELETING' | 'FAILED'
  /** Open to all and private as well when absent. */
  readonly endpointAccess?: {
    readonly publicly: boolean
    readonly privately: boolean
    readonly cidrs: readonly string[]
  }
  readonly zonalShift?: boolean
  readonly tags?: Readonly<Record<string, string>>
  readonly nodegroups?: readonly NodegroupSpec[]
}

export interface Cluster extends ClusterSpec {
  readonly arn: string
  /** https://oidc.eks.<region>.<suffix>/id/<32 hex> */
  readonly issuer: string
  readonly createdAt: Date
  readonly tags: Readonly<Record<string, string>>
  /** Known once the API server listens. */
  readonly endpoint?: string
  /** PEM in base64. */
  readonly certificateAuthority?: string
}

export interface AssociatedPolicy {
  readonly policyArn: string
  readonly accessScope: { readonly type: 'cluster' | 'namespace'; readonly namespaces: readonly string[] }
  readonly associatedAt: Date
  readonly modifiedAt: Date
}

export type AccessEntryType =
  'STANDARD' | 'EC2_LINUX' | 'EC2_WINDOWS' | 'FARGATE_LINUX' | 'EC2' | 'HYBRID_LINUX'

export interface AccessEntry {
  readonly clusterName: string
  readonly principalArn: string
  /** Of the role when the entry was made: one that is made again under its name is another. Undefined when there was none. */
  readonly principalId: string | undefined
  readonly accessEntryArn: string
  readonly type: AccessEntryType
  readonly username: string
  readonly kubernetesGroups: readonly string[]
  readonly tags: Readonly<Record<string, string>>
  readonly createdAt: Date
  readonly modifiedAt: Date
  readonly policies: readonly AssociatedPolicy[]
}

export interface Addon {
  readonly clusterName: string
  readonly addonName: string
  readonly addonArn: string
  readonly addonVersion: string
  readonly status: 'CREATING' | 'ACTIVE' | 'DELETING' | 'CREATE_FAILED'
  readonly tags: Readonly<Record<string, string>>
  readonly createdAt: Date
  readonly modifiedAt: Date
}

export interface Association {
  readonly clusterName: string
  readonly namespace: string
  readonly serviceAccount: string
  readonly roleArn: string
  readonly associationArn: string
  readonly associationId: string
  readonly disableSessionTags: boolean
  readonly tags: Readonly<Record<string, string>>
  readonly createdAt: Date
  readonly modifiedAt: Date
}

export interface Update {
  readonly clusterName: string
  readonly id: string
  readonly type: string
  readonly status: 'InProgress' | 'Successful'
  readonly params: readonly { readonly type: string; readonly value: string }[]
  readonly createdAt: Date
}

/** Puts an add-on's objects into the cluster, or takes them out; the add-on is ACTIVE when it resolves. */
export type AddonInstaller = (
  change: 'install' | 'remove',
  addon: { readonly clusterName: string; readonly addonName: string; readonly addonVersion: string }
) => Promise<void>

/** The two texts of the ConfigMap kube-system/aws-auth, as they stand in it; undefined when there is none. */
export type AwsAuthSource = () => Promise<
  { readonly mapRoles?: string; readonly mapUsers?: string } | undefined
>

/** Everything EKS holds in one account and region. */
export class EksState {
  readonly home: Home
  readonly now: () => number
  readonly clusters: History<Cluster>
  readonly accessEntries: History<AccessEntry>
  readonly addons: History<Addon>
  readonly associations: History<Association>
  readonly updates: History<Update>
  readonly fargateProfiles: History<FargateProfile>
  readonly principalId: (arn: string) => string | undefined
  readonly #awsAuth = new Map<string, AwsAuthSource>()
  /** Set by whoever runs the cluster. */
  installAddon: AddonInstaller = async () => undefined
  fargate: FargateInCluster = { mapRole: async () => undefined, removePods: async () => undefined }

  /** `principalId`: unique id of a role by its ARN; undefined when there is none. */
  constructor(home: Home, now: () => number, principalId: (arn: string) => string | undefined) {
    this.home = home
    this.now = now
    this.principalId = principalId
    this.clusters = new History(now)
    this.accessEntries = new History(now)
    this.addons = new History(now)
    this.associations = new History(now)
    this.updates = new History(now)
    this.fargateProfiles = new History(now)
  }

  cluster(name: string): Cluster {
    return this.clusters.get(name) ?? notFound(`No cluster found for name: ${name}.`)
  }

  arn(resource: string): string {
    const { partition, region, accountId } = this.home
    return `arn:${partition}:eks:${region}:${accountId}:${resource}`
  }

  putCluster(spec: ClusterSpec): Cluster {
    const { region, urlSuffix } = this.home
    const cluster: Cluster = {
      ...spec,
      arn: this.arn(`cluster/${spec.name}`),
      issuer: `https://oidc.eks.${region}.${urlSuffix}/id/${randomBytes(16).toString('hex').toUpperCase()}`,
      createdAt: new Date(this.now()),
      tags: spec.tags ?? {}
    }
    this.clusters.set(cluster.name, cluster)
    for (const { nodeRole } of spec.nodegroups ?? []) {
      if (spec.authenticationMode !== 'CONFIG_MAP') this.putAccessEntry(spec.name, nodeRole, 'EC2_LINUX')
    }
    if (
      spec.creatorArn !== undefined &&
      spec.bootstrapCreator !== false &&
      spec.authenticationMode !== 'CONFIG_MAP'
    ) {
      this.putAccessEntry(spec.name, spec.creatorArn, 'STANDARD', ['AmazonEKSClusterAdminPolicy'])
    }
    return cluster
  }

  /** The API server starts after the cloud: its address and CA (PEM) come later. */
  setEndpoint(name: string, endpoint: string, caPem: string): void {
    this.clusters.set(name, {
      ...this.cluster(name),
      endpoint,
      certificateAuthority: Buffer.from(caPem).toString('base64')
    })
  }

  setAwsAuth(clusterName: string, source: AwsAuthSource): void {
    this.#awsAuth.set(clusterName, source)
  }

  awsAuth(clusterName: string): AwsAuthSource | undefined {
    return this.#awsAuth.get(clusterName)
  }

  entry(clusterName: string, principalArn: string): AccessEntry {
    return (
      this.accessEntries.get(`${clusterName} ${principalArn}`) ??
      notFound(
        "The specified principalArn could not be found. You can view your available access entries with 'list-access-entries'."
      )
    )
  }

  /** Puts an access entry there without asking for permission. `policies` are names of EKS's access policies. */
  putAccessEntry(
    clusterName: string,
    principalArn: string,
    type: AccessEntryType,
    policies: readonly string[] = []
  ): AccessEntry {
    const at = new Date(this.now())
    const entry: AccessEntry = {
      clusterName,
      principalArn,
      principalId: this.principalId(principalArn),
      accessEntryArn: this.entryArn(clusterName, principalArn, randomUUID()),
      type,
      username: defaultUsername(type, principalArn),
      kubernetesGroups: defaultGroups(type),
      tags: {},
      createdAt: at,
      modifiedAt: at,
      policies: policies.map((name) => ({
        policyArn: `arn:${this.home.partition}:eks::aws:cluster-access-policy/${name}`,
        accessScope: { type: 'cluster', namespaces: [] },
        associatedAt: at,
        modifiedAt: at
      }))
    }
    this.saveEntry(entry)
    return entry
  }

  saveEntry(entry: AccessEntry): void {
    this.accessEntries.set(`${entry.clusterName} ${entry.principalArn}`, entry)
  }

  /** access-entry/<cluster>/role/<account>/<name>/<uuid> */
  entryArn(clusterName: string, principalArn: string, uuid: string): string {
    const [, , , , accountId = '', resource = ''] = principalArn.split(':')
    const kind = resource.split('/')[0] ?? ''
    const name = resource.split('/').at(-1) ?? ''
    return this.arn(`access-entry/${clusterName}/${kind}/${accountId}/${name}/${uuid}`)
  }

  addon(clusterName: string, name: string): Addon {
    return (
      this.addons.get(`${clusterName} ${name}`) ??
      notFound(`No addon: ${name} found in cluster: ${clusterName}`)
    )
  }

  saveAddon(addon: Addon): void {
    this.addons.set(`${addon.clusterName} ${addon.addonName}`, addon)
  }

  /** Puts an add-on there, ACTIVE, without asking for permission; its objects are not installed. */
  putAddon(clusterName: string, addonName: string, addonVersion: string): Addon {
    const at = new Date(this.now())
    const addon: Addon = {
      clusterName,
      addonName,
      addonArn: this.arn(`addon/${clusterName}/${addonName}/${randomUUID()}`),
      addonVersion,
      status: 'ACTIVE',
      tags: {},
      createdAt: at,
      modifiedAt: at
    }
    this.saveAddon(addon)
    return addon
  }

  fargateProfile(clusterName: string, name: string): FargateProfile {
    return (
      this.fargateProfiles.get(`${clusterName} ${name}`) ??
      notFound(`No Fargate Profile found with name: ${name}.`)
    )
  }

  saveFargateProfile(profile: FargateProfile): void {
    this.fargateProfiles.set(`${profile.clusterName} ${profile.name}`, profile)
  }

  /** Puts a profile there, ACTIVE, with its role's access entry where the cluster has such; asks for no permission. */
  putFargateProfile(
    clusterName: string,
    spec: Pick<FargateProfile, 'name' | 'podExecutionRoleArn' | 'subnets' | 'selectors'>
  ): FargateProfile {
    const profile: FargateProfile = {
      ...spec,
      clusterName,
      arn: this.arn(`fargateprofile/${clusterName}/${spec.name}/${randomUUID()}`),
      status: 'ACTIVE',
      tags: {},
      createdAt: new Date(this.now())
    }
    this.saveFargateProfile(profile)
    this.admitPodExecutionRole(profile)
    return profile
  }

  /** EKS makes the access entry with the profile, unless there is one. */
  admitPodExecutionRole({ clusterName, podExecutionRoleArn }: FargateProfile): void {
    if (this.cluster(clusterName).authenticationMode === 'CONFIG_MAP') return
    if (this.accessEntries.has(`${clusterName} ${podExecutionRoleArn}`)) return
    this.putAccessEntry(clusterName, podExecutionRoleArn, 'FARGATE_LINUX')
  }

  /** Puts an association there without asking for permission. */
  putAssociation(
    clusterName: string,
    namespace: string,
    serviceAccount: string,
    roleArn: string
  ): Association {
    const at = new Date(this.now())
    const associationId = awsId('a-').toLowerCase()
    const association: Association = {
      clusterName,
      namespace,
      serviceAccount,
      roleArn,
      associationArn: this.arn(`podidentityassociation/${clusterName}/${associationId}`),
      associationId,
      disableSessionTags: false,
      tags: {},
      createdAt: at,
      modifiedAt: at
    }
    this.associations.set(associationId, association)
    return association
  }

  association(clusterName: string, id: string): Association {
    const found = this.associations.get(id)
    if (found?.clusterName === clusterName) return found
    return notFound(`Pod identity association ${id} not found in cluster ${clusterName}`)
  }
}

export function notFound(message: string): never {
  throw new AwsError('ResourceNotFoundException', message, 404)
}

export function defaultUsername(type: AccessEntryType, principalArn: string): string {
  if (type === 'STANDARD') {
    const [, partition = '', , , accountId = '', resource = ''] = principalArn.split(':')
    if (!resource.startsWith('role/')) return principalArn
    const role = resource.split('/').at(-1) ?? ''
    return `arn:${partition}:sts::${accountId}:assumed-role/${role}/{{SessionName}}`
  }
  return type === 'HYBRID_LINUX' || type === 'FARGATE_LINUX'
    ? 'system:node:{{SessionName}}'
    : 'system:node:{{EC2PrivateDNSName}}'
}

export function defaultGroups(type: AccessEntryType): readonly string[] {
  if (type === 'STANDARD') return []
  return type === 'EC2_WINDOWS' ? ['system:nodes', 'eks:kube-proxy-windows'] : ['system:nodes']
}
