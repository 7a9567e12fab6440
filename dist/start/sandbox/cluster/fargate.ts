import type { FargateSelector } from '../cloud/eks/fargate-profile.js'
import type { Cloud } from '../cloud/index.js'
import type { Vpc } from '../cloud/moto/index.js'
import type { KubernetesRequest } from '../control-plane/index.js'
import type { Nodes } from '../nodes/index.js'
import { mapRoles } from './access.js'

/** What a Fargate profile takes for its pods' nodes, and eksctl makes once for a cluster. */
export function putPodExecutionRole(cloud: Cloud, clusterName: string): string {
  const { iam } = cloud
  const name = `eksctl-${clusterName}-cluster-FargatePodExecutionRole`
  const statement = {
    Effect: 'Allow',
    Principal: { Service: 'eks-fargate-pods.amazonaws.com' },
    Action: 'sts:AssumeRole'
  }
  const attached = `arn:${iam.home.partition}:iam::aws:policy/AmazonEKSFargatePodExecutionRolePolicy`
  return iam.putRole({
    name,
    trust: { Version: '2012-10-17', Statement: [statement] },
    attached: [attached]
  }).arn
}

/** The cluster's first Fargate profiles, over its private subnets. */
export async function putFargateProfiles(
  parts: { readonly cloud: Cloud; readonly vpc: Vpc; readonly request: KubernetesRequest },
  clusterName: string,
  profiles: Readonly<Record<string, readonly FargateSelector[]>>
): Promise<void> {
  const { cloud, vpc, request } = parts
  if (Object.keys(profiles).length === 0) return
  const podExecutionRoleArn = putPodExecutionRole(cloud, clusterName)
  const subnets = vpc.subnets.filter((subnet) => !subnet.public).map(({ id }) => id)
  if (cloud.eks.cluster(clusterName).authenticationMode === 'CONFIG_MAP')
    await mapPodExecutionRole(request, podExecutionRoleArn)
  for (const [name, selectors] of Object.entries(profiles))
    cloud.eks.putFargateProfile(clusterName, { name, podExecutionRoleArn, subnets, selectors })
}

/** Lets EKS act inside the cluster when profiles are made and removed. */
export function serveFargate(cloud: Cloud, request: KubernetesRequest, nodes: Nodes): void {
  cloud.eks.fargate = {
    mapRole: async (_clusterName, roleArn) => mapPodExecutionRole(request, roleArn),
    removePods: async (_clusterName, profileName) => nodes.removeFargatePods(profileName)
  }
}

async function mapPodExecutionRole(request: KubernetesRequest, rolearn: string): Promise<void> {
  const groups = ['system:bootstrappers', 'system:nodes', 'system:node-proxier']
  await mapRoles(request, [{ rolearn, username: 'system:node:{{SessionName}}', groups }])
}
