import { setTimeout as pause } from 'node:timers/promises'
import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import type { JSONWebKeySet } from 'jose'
import { newest, type Built } from '../build/index.js'
import { createAuthority, type Authority } from '../certificates.js'
import { cloudFormation } from '../cloud/cloudformation/index.js'
import { asOf } from '../cloud/history.js'
import { startCloud, type Cloud } from '../cloud/index.js'
import { items } from '../cloud/moto/client.js'
import { MotoServices, startMoto, type Vpc } from '../cloud/moto/index.js'
import type { Cluster } from '../cloud/eks/state.js'
import { startControlPlane, type ControlPlane, type KubernetesRequest } from '../control-plane/index.js'
import type { Sandbox } from '../sandbox.js'
import { startNodes, type Nodes } from '../nodes/index.js'
import { startProxy } from '../proxy.js'
import { publishedHosts, startPublished } from '../published/index.js'
import type { Reaper } from '../reaper.js'
import { startGitHubApi } from '../runner/github-api.js'
import { startIdTokenServer } from '../runner/id-token.js'
import { list, record, text } from '../values.js'
import { awsAuthOf, bindAccessPolicies, mapRoles, nodeMapping, type RoleMapping } from './access.js'
import { audienceOf, publishedForMode, publishedPolicy } from './deployer.js'
import { putFargateProfiles, serveFargate } from './fargate.js'
import { launchNodeGroup, putNodeGroupRole, type NodeGroupOrder } from './node-group.js'
import { podNetwork } from './pod-network.js'
import { releasesOf } from './releases.js'
import { REPOSITORY, runnerOf } from './run.js'
import type { SandboxSpec } from './spec.js'

export interface Assembly {
  readonly spec: SandboxSpec
  readonly built: Built
  readonly folder: string
  readonly log: (line: string) => void
  /** Takes what is to be done at the end, which is done in the opposite order. */
  readonly onStop: (stop: () => Promise<void> | void) => void
  readonly reaper: Reaper
}

const GROUP: NodeGroupOrder = { name: 'managed', count: 2, instanceType: 'm5.large', zones: 2 }
const READY_WITHIN = 60_000
const IMAGE = /^public\.ecr\.aws\/karpenter\/controller:v?([0-9.]+)(@sha256:[0-9a-f]{64})?$/

/** Starts the parts, each as soon as what it needs is there, and puts the cluster into its first state. */
export async function assemble(assembly: Assembly): Promise<Omit<Sandbox, 'built' | 'startedIn' | 'stop'>> {
  const { spec, built, folder, log, onStop } = assembly
  const name = spec.name ?? 'eksworkshop'
  const region = spec.region ?? 'ap-northeast-2'
  const accountId = spec.accountId ?? '111122223333'
  const mode = spec.authenticationMode ?? 'API_AND_CONFIG_MAP'
  const group = spec.nodeGroup ?? GROUP
  const authority = await createAuthority('setup-karpenter sandbox')
  const caPath = join(folder, 'ca.pem')
  await writeFile(caPath, authority.certPem)

  const moto = await startMoto({ command: built.motoServer, accountId, region })
  onStop(() => moto.stop())
  assembly.reaper.watch(moto.pid, moto.ended)
  const { cloud, services } = await startAws({ authority, accountId, region, motoUrl: moto.url, assembly })
  const idTokens = await startIdTokenServer({ now: Date.now })
  onStop(() => idTokens.stop())
  const github = await startGitHubApi([spec.repository ?? REPOSITORY.repository])
  onStop(() => github.stop())
  cloud.trustIssuer(idTokens.issuer, async () => keySet(idTokens.jwks))
  if (spec.githubProvider !== false) {
    cloud.iam.putOidcProvider(idTokens.issuer, [audienceOf(cloud.iam.home)])
  }

  const nodeRole = putNodeGroupRole(cloud.iam, name, cloud.iam.home.urlSuffix)
  // The network comes with the control plane; the cluster is known before either, for its issuer and its webhook.
  cloud.eks.putCluster({
    ...spec.cluster,
    name,
    version: spec.kubernetesVersion ?? '1.34',
    authenticationMode: mode,
    vpcId: '',
    subnetIds: [],
    clusterSecurityGroupId: '',
    creatorArn: `arn:${cloud.iam.home.partition}:iam::${accountId}:role/platform`,
    nodegroups: []
  })
  const [vpc, controlPlane, published] = await Promise.all([
    services.createVpc({
      clusterName: name,
      publicSubnets: spec.publicSubnets ?? 3,
      privateSubnets: spec.privateSubnets ?? 3,
      ...(spec.zones === undefined ? {} : { zones: spec.zones })
    }),
    startCluster(assembly, cloud, cloud.eks.cluster(name)),
    startFiles(assembly, authority)
  ])
  setNetwork(cloud, name, vpc, nodeRole.arn, group)
  // Its policy names the VPC.
  const deployer = await putDeployer(cloud, spec, name)
  cloud.eks.setEndpoint(name, controlPlane.endpoint, controlPlane.caCertificate)
  cloud.eks.setAwsAuth(name, awsAuthOf(controlPlane.request))
  cloud.trustIssuer(cloud.eks.cluster(name).issuer, async () => keySet(await controlPlane.jwks()))

  await giveAccess(cloud, controlPlane.request, {
    name,
    mode,
    nodeRoleArn: nodeRole.arn,
    deployerArn: spec.deployer?.inCluster === false ? undefined : deployer.arn
  })
  await putFargateProfiles({ cloud, vpc, request: controlPlane.request }, name, spec.fargateProfiles ?? {})
  const proxy = await startProxy({
    portFor: (host) =>
      publishedHosts.some((one) => one === host)
        ? published.tlsPort
        : /\.(amazonaws\.com(\.cn)?|api\.aws)$/.test(host)
          ? cloud.tlsPort
          : undefined
  })
  onStop(() => proxy.stop())
  const nodes = await startKubelets(assembly, {
    cloud,
    services,
    controlPlane,
    cluster: cloud.eks.cluster(name)
  })
  serveFargate(cloud, controlPlane.request, nodes)
  cloud.eks.installAddon = async (change, addon) => nodes.addon(change, addon.addonName, addon.addonVersion)
  await launchNodeGroup({ iam: cloud.iam, moto: services, vpc, clusterName: name }, group, nodeRole)
  await spec.prepare?.(cloud)
  await allReady(controlPlane.request, group.count)
  cloud.clearCalls()
  log(`sandbox: ${name} in ${region} is ready`)

  const env = { AWS_ENDPOINT_URL: cloud.url, AWS_REGION: region, AWS_DEFAULT_REGION: region }
  return {
    name,
    region,
    accountId,
    cloud,
    moto: services,
    vpc,
    controlPlane,
    kubernetes: controlPlane.request,
    published,
    proxy,
    idTokens,
    github,
    nodes,
    caPath,
    deployerRoleArn: deployer.arn,
    nodeGroupRoleArn: nodeRole.arn,
    env,
    run: runnerOf({
      spec,
      folder: assembly.folder,
      name,
      region,
      idTokens,
      github,
      cloud,
      deployerRoleArn: deployer.arn,
      chart: published.chart,
      trustRootPath: published.trustRootPath,
      publishedUrl: published.url,
      proxyUrl: proxy.url,
      caPath
    })
  }
}

async function startAws(parts: {
  readonly authority: Authority
  readonly accountId: string
  readonly region: string
  readonly motoUrl: string
  readonly assembly: Assembly
}): Promise<{ readonly cloud: Cloud; readonly services: MotoServices }> {
  const { authority, accountId, region, motoUrl, assembly } = parts
  // Asked only while calls are answered, and those come after the cloud has started.
  const started: { cloud?: Cloud } = {}
  const services = new MotoServices({
    url: motoUrl,
    region,
    profiles: (nameOrArn) =>
      started.cloud?.iam.instanceProfiles
        .values()
        .filter((profile) => profile.name === nameOrArn || profile.arn === nameOrArn)
        .map((profile) => {
          const roleArn =
            profile.roleName === undefined ? undefined : started.cloud?.iam.roles.get(profile.roleName)?.arn
          return { arn: profile.arn, name: profile.name, ...(roleArn === undefined ? {} : { roleArn }) }
        })[0]
  })
  const cloud = await startCloud({
    accountId,
    region,
    authority,
    services: (around) => [
      cloudFormation({
        invoke: around.invoke,
        assume: around.assume,
        clock: { now: around.now, delay: async (milliseconds) => pause(milliseconds) },
        ...(assembly.spec.stackPace === undefined ? {} : { pace: assembly.spec.stackPace })
      }),
      ...services.services(around)
    ],
    ...(assembly.spec.associationDelay !== undefined && {
      associationDelay: assembly.spec.associationDelay
    }),
    podSessionSeconds: assembly.spec.podSessionSeconds,
    subnet: async (id) => services.subnet(id),
    privateDnsName: async (instanceId) =>
      (await services.instances()).find((instance) => instance.id === instanceId)?.privateDnsName
  })
  started.cloud = cloud
  assembly.onStop(async () => {
    services.stop()
    await cloud.stop()
  })
  return { cloud, services }
}

async function startCluster(assembly: Assembly, cloud: Cloud, cluster: Cluster): Promise<ControlPlane> {
  const { region, urlSuffix } = cloud.iam.home
  const controlPlane = await startControlPlane({
    program: assembly.built.controlPlane,
    folder: assembly.folder,
    kubernetesVersion: assembly.spec.kubernetesVersion ?? '1.34',
    serviceAccountIssuer: cluster.issuer,
    authenticatorUrl: cloud.webhookUrl(cluster.name),
    serverNames: [`*.gr7.${region}.eks.${urlSuffix}`]
  })
  assembly.onStop(() => controlPlane.stop())
  await bindAccessPolicies(controlPlane.request)
  return controlPlane
}

async function startFiles(
  { spec, built, folder, onStop }: Assembly,
  authority: Authority
): Promise<Sandbox['published']> {
  const releases = await releasesOf(built.karpenter, spec.later)
  const published = await startPublished({ folder, releases, helm: built.helm, authority })
  onStop(() => published.stop())
  return published
}

async function startKubelets(
  { spec, built, folder, log, onStop, reaper }: Assembly,
  parts: {
    readonly cloud: Cloud
    readonly services: MotoServices
    readonly controlPlane: ControlPlane
    readonly cluster: Cluster
  }
): Promise<Nodes> {
  const { cloud, services, controlPlane, cluster } = parts
  const nodes = await startNodes({
    ...spec.nodes,
    region: cloud.iam.home.region,
    clusterName: cluster.name,
    kubernetesVersion: cluster.version,
    apiEndpoint: controlPlane.endpoint,
    statedEndpoint: () => cloud.eks.cluster(cluster.name).endpoint,
    apiCa: controlPlane.caCertificate,
    admin: controlPlane.admin,
    authority: controlPlane.authority,
    cloudUrl: cloud.url,
    folder,
    instances: async () => services.instances(),
    onInstancesChanged: (listener) => services.onInstancesChanged(listener),
    describeType: async (type) =>
      record(
        items((await services.ec2('DescribeInstanceTypes', { InstanceType: [type] }))['instanceTypeSet'])[0]
      ),
    roleOf: (nameOrArn) => {
      const profile = cloud.iam.instanceProfiles
        .values()
        .find((one) => one.name === nameOrArn || one.arn === nameOrArn)
      return profile?.roleName === undefined ? undefined : cloud.iam.roles.get(profile.roleName)?.arn
    },
    nodeIdentity: async (node) => cloud.nodeIdentity(cluster.name, node),
    credentialsOf: (roleArn) => cloud.credentialsFor(roleArn, 3600),
    hasAssociation: (namespace, serviceAccount) =>
      asOf(cloud.eks.now() - (spec.webhookDelay ?? 0), () => cloud.eks.associations.values()).some(
        (one) =>
          one.clusterName === cluster.name &&
          one.namespace === namespace &&
          one.serviceAccount === serviceAccount
      ),
    network: async (id) => podNetwork(services, cloud.eks.cluster(cluster.name).clusterSecurityGroupId, id),
    fargate: {
      profiles: () =>
        cloud.eks.fargateProfiles.values().filter(({ clusterName }) => clusterName === cluster.name),
      subnet: async (id) => services.subnet(id),
      identity: async (roleArn, nodeName) => cloud.fargateNodeIdentity(cluster.name, { roleArn, nodeName })
    },
    controllerBinary: (image) => {
      const version = IMAGE.exec(image)?.[1] ?? ''
      return built.karpenter.get(version === spec.later?.version ? newest : version)?.binary
    },
    log,
    onProcess: (pid, ended) => reaper.watch(pid, ended)
  })
  onStop(() => nodes.stop())
  return nodes
}

/** Puts the network, known only now, into the cluster that is there already. */
function setNetwork(cloud: Cloud, name: string, vpc: Vpc, nodeRole: string, group: NodeGroupOrder): void {
  const subnets = vpc.subnets.map((subnet) => subnet.id)
  const own = vpc.subnets.filter((subnet) => !subnet.public).slice(0, group.zones)
  cloud.eks.clusters.set(name, {
    ...cloud.eks.cluster(name),
    vpcId: vpc.id,
    subnetIds: subnets,
    clusterSecurityGroupId: vpc.clusterSecurityGroupId,
    nodegroups:
      group.count === 0
        ? []
        : [
            {
              name: group.name,
              nodeRole,
              subnets: own.length > 0 ? own.map((subnet) => subnet.id) : subnets,
              instanceTypes: [group.instanceType],
              desiredSize: group.count
            }
          ]
  })
}

async function putDeployer(cloud: Cloud, spec: SandboxSpec, name: string): Promise<{ readonly arn: string }> {
  const facts = {
    home: cloud.iam.home,
    clusterName: name,
    issuer: cloud.eks.cluster(name).issuer,
    vpcId: cloud.eks.cluster(name).vpcId,
    roleName: 'karpenter-deployer',
    repository: spec.repository ?? REPOSITORY.repository,
    repositoryId: REPOSITORY.repositoryId,
    ownerId: REPOSITORY.repositoryOwnerId
  }
  return cloud.iam.putRole({
    name: 'karpenter-deployer',
    trust: spec.deployer?.trust ?? (await publishedPolicy('install-trust', facts)),
    inline: { install: spec.deployer?.policy ?? (await publishedForMode('install', facts)) },
    maxSessionDuration: spec.deployer?.maxSessionSeconds ?? 3600
  })
}

async function giveAccess(
  cloud: Cloud,
  request: KubernetesRequest,
  who: {
    readonly name: string
    readonly mode: Cluster['authenticationMode']
    readonly nodeRoleArn: string
    readonly deployerArn: string | undefined
  }
): Promise<void> {
  const mappings: RoleMapping[] = []
  if (who.mode === 'CONFIG_MAP') {
    mappings.push(nodeMapping(who.nodeRoleArn))
    if (who.deployerArn !== undefined) {
      mappings.push({ rolearn: who.deployerArn, username: 'karpenter-deployer', groups: ['system:masters'] })
    }
  } else {
    cloud.eks.putAccessEntry(who.name, who.nodeRoleArn, 'EC2_LINUX')
    if (who.deployerArn !== undefined) {
      cloud.eks.putAccessEntry(who.name, who.deployerArn, 'STANDARD', ['AmazonEKSClusterAdminPolicy'])
    }
  }
  if (mappings.length > 0) {
    await mapRoles(request, mappings)
  }
}

/** Resolves when so many nodes are Ready and free of the taints of a start. */
async function allReady(request: KubernetesRequest, count: number): Promise<void> {
  const deadline = Date.now() + READY_WITHIN
  for (;;) {
    const answer = await request('GET', '/api/v1/nodes')
    const ready = list(record(answer.body)['items'])
      .map(record)
      .filter((node) => {
        const conditions = list(record(node['status'])['conditions']).map(record)
        const isReady = conditions.some((one) => one['type'] === 'Ready' && one['status'] === 'True')
        const taints = list(record(node['spec'])['taints']).map((taint) => text(record(taint)['key']))
        return isReady && !taints.includes('node.kubernetes.io/not-ready')
      })
    if (ready.length >= count) {
      return
    }
    if (Date.now() > deadline) {
      throw new Error(`nodes: ${ready.length} of ${count} were Ready after ${READY_WITHIN / 1000} s`)
    }
    await pause(50)
  }
}

function keySet(value: unknown): JSONWebKeySet {
  return { keys: list(record(value)['keys']).flatMap((key) => ({ kty: '', ...record(key) })) }
}
