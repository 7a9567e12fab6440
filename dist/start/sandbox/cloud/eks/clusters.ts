import { randomUUID } from 'node:crypto'
import { isRecord, optionalText } from '../input.js'
import type { Operations } from '../operations.js'
import type { AwsCall } from '../service.js'
import { invalidParameter, page, required } from './pages.js'
import { clusterQuestion, onCluster } from './questions.js'
import {
  type AuthenticationMode,
  type Cluster,
  type EksState,
  type NodegroupSpec,
  notFound,
  type Update
} from './state.js'

/** Clusters and what they are made with. They are ordered with the sandbox: none is created or deleted by a call. */
export function clusterOperations(state: EksState): Operations {
  const named = (action: string) => (call: AwsCall) => [
    clusterQuestion(state, `eks:${action}`, required(call.input, 'name'))
  ]
  return {
    ListClusters: {
      questions: () => [{ action: 'eks:ListClusters', resource: '*' }],
      answer: ({ input }) =>
        page(
          input,
          'clusters',
          state.clusters.values().map(({ name }) => name)
        )
    },
    DescribeCluster: {
      questions: named('DescribeCluster'),
      answer: ({ input }) => ({ cluster: clusterOutput(state, state.cluster(required(input, 'name'))) })
    },
    UpdateClusterConfig: {
      questions: named('UpdateClusterConfig'),
      answer: ({ input }) => ({ update: updateAccess(state, input) })
    },
    DescribeUpdate: {
      questions: named('DescribeUpdate'),
      answer: ({ input }) => {
        const id = required(input, 'updateId')
        return { update: finished(state, state.updates.get(id) ?? notFound(`No update found for ID: ${id}`)) }
      }
    },
    ListUpdates: {
      questions: named('ListUpdates'),
      answer: ({ input }) => {
        const cluster = state.cluster(required(input, 'name'))
        const updates = state.updates.values().filter((update) => update.clusterName === cluster.name)
        return page(
          input,
          'updateIds',
          updates.map(({ id }) => id)
        )
      }
    },
    ListNodegroups: {
      questions: onCluster(state, 'ListNodegroups'),
      answer: ({ input }) => {
        const { nodegroups = [] } = state.cluster(required(input, 'clusterName'))
        return page(
          input,
          'nodegroups',
          nodegroups.map(({ name }) => name)
        )
      }
    },
    DescribeNodegroup: {
      questions: ({ input }) => {
        const path = `nodegroup/${required(input, 'clusterName')}/${required(input, 'nodegroupName')}/*`
        return [{ action: 'eks:DescribeNodegroup', resource: state.arn(path) }]
      },
      answer: ({ input }) => {
        const cluster = state.cluster(required(input, 'clusterName'))
        const name = required(input, 'nodegroupName')
        const nodegroup =
          cluster.nodegroups?.find((item) => item.name === name) ??
          notFound(`No node group found for name: ${name}.`)
        return { nodegroup: nodegroupOutput(state, cluster, nodegroup) }
      }
    }
  }
}

function clusterOutput(state: EksState, cluster: Cluster): Readonly<Record<string, unknown>> {
  const auto = cluster.autoMode ?? false
  const access = cluster.endpointAccess ?? { publicly: true, privately: true, cidrs: ['0.0.0.0/0'] }
  return {
    name: cluster.name,
    arn: cluster.arn,
    createdAt: cluster.createdAt,
    version: cluster.version,
    // A cluster that is being made has none yet.
    endpoint: cluster.status === 'CREATING' ? undefined : cluster.endpoint,
    roleArn: `arn:${state.home.partition}:iam::${state.home.accountId}:role/${cluster.name}-cluster`,
    resourcesVpcConfig: {
      subnetIds: cluster.subnetIds,
      securityGroupIds: [],
      clusterSecurityGroupId: cluster.clusterSecurityGroupId,
      vpcId: cluster.vpcId,
      endpointPublicAccess: access.publicly,
      endpointPrivateAccess: access.privately,
      publicAccessCidrs: access.cidrs
    },
    kubernetesNetworkConfig: {
      ...(cluster.ipFamily === 'ipv6'
        ? { serviceIpv6Cidr: 'fd30:1c53:5f8a::/108' }
        : { serviceIpv4Cidr: cluster.serviceIpv4Cidr ?? '10.100.0.0/16' }),
      ipFamily: cluster.ipFamily ?? 'ipv4',
      elasticLoadBalancing: { enabled: auto }
    },
    logging: {
      clusterLogging: [
        { types: ['api', 'audit', 'authenticator', 'controllerManager', 'scheduler'], enabled: false }
      ]
    },
    identity: { oidc: { issuer: cluster.issuer } },
    status: cluster.endpoint === undefined ? 'CREATING' : (cluster.status ?? 'ACTIVE'),
    certificateAuthority:
      cluster.certificateAuthority === undefined ? {} : { data: cluster.certificateAuthority },
    platformVersion: 'eks.1',
    tags: cluster.tags,
    health: { issues: [] },
    accessConfig: { authenticationMode: cluster.authenticationMode },
    upgradePolicy: { supportType: 'STANDARD' },
    zonalShiftConfig: { enabled: cluster.zonalShift ?? false },
    deletionProtection: false,
    ...(auto
      ? {
          computeConfig: { enabled: true, nodePools: ['general-purpose', 'system'] },
          storageConfig: { blockStorage: { enabled: true } }
        }
      : {})
  }
}

function nodegroupOutput(
  state: EksState,
  cluster: Cluster,
  nodegroup: NodegroupSpec
): Readonly<Record<string, unknown>> {
  const size = nodegroup.desiredSize ?? 2
  return {
    nodegroupName: nodegroup.name,
    nodegroupArn: state.arn(
      `nodegroup/${cluster.name}/${nodegroup.name}/6ac1f2a0-1b8d-4f5c-9a37-2f3f0c1e7d55`
    ),
    clusterName: cluster.name,
    version: cluster.version,
    releaseVersion: `${cluster.version}.0-20260101`,
    createdAt: cluster.createdAt,
    modifiedAt: cluster.createdAt,
    status: 'ACTIVE',
    capacityType: 'ON_DEMAND',
    scalingConfig: { minSize: size, maxSize: size, desiredSize: size },
    instanceTypes: nodegroup.instanceTypes ?? ['m5.large'],
    subnets: nodegroup.subnets,
    amiType: 'AL2023_x86_64_STANDARD',
    nodeRole: nodegroup.nodeRole,
    labels: {},
    taints: [],
    resources: { autoScalingGroups: [{ name: `eks-${nodegroup.name}` }] },
    health: { issues: [] },
    updateConfig: { maxUnavailable: 1 },
    launchTemplate: nodegroup.launchTemplate,
    tags: {}
  }
}

const order: readonly AuthenticationMode[] = ['CONFIG_MAP', 'API_AND_CONFIG_MAP', 'API']

/** The authentication mode goes one way only, and step by step is not asked for. */
function updateAccess(state: EksState, input: AwsCall['input']): Update {
  const cluster = state.cluster(required(input, 'name'))
  const access = input['accessConfig']
  const mode = isRecord(access) ? optionalText(access, 'authenticationMode') : undefined
  const wanted = order.find((item) => item === mode)
  if (wanted === undefined)
    throw invalidParameter('The sandbox updates accessConfig.authenticationMode only.')
  const from = order.indexOf(cluster.authenticationMode)
  if (order.indexOf(wanted) <= from || (wanted === 'API' && from === 0)) {
    throw invalidParameter(
      `Unsupported authentication mode update from ${cluster.authenticationMode} to ${wanted}`
    )
  }
  const update: Update = {
    clusterName: cluster.name,
    id: randomUUID(),
    type: 'AccessConfigUpdate',
    status: 'InProgress',
    params: [{ type: 'AuthenticationMode', value: JSON.stringify(wanted) }],
    createdAt: new Date(state.now())
  }
  state.updates.set(update.id, update)
  state.clusters.set(cluster.name, { ...cluster, authenticationMode: wanted })
  return update
}

/** Milliseconds after which an update is through. */
const updateTakes = 200

function finished(state: EksState, update: Update): Update {
  return state.now() - update.createdAt.getTime() < updateTakes ? update : { ...update, status: 'Successful' }
}
