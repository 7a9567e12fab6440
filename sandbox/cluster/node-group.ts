import { randomUUID } from 'node:crypto'
import type { IamState, Role } from '../cloud/iam/state.js'
import { awsId, iamArn } from '../cloud/partition.js'
import { images, type MotoServices, type Vpc } from '../cloud/moto/index.js'

export interface NodeGroupOrder {
  readonly name: string
  readonly count: number
  readonly instanceType: string
  /** How many of the cluster's zones it spans. */
  readonly zones: number
}

/** The role of a managed node group's instances, as eksctl makes it. */
export function putNodeGroupRole(iam: IamState, clusterName: string, urlSuffix: string): Role {
  return iam.putRole({
    name: `eksctl-${clusterName}-nodegroup-NodeInstanceRole`,
    trust: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: `ec2.${urlSuffix}` }, Action: 'sts:AssumeRole' }]
    },
    attached: [
      'AmazonEKSWorkerNodePolicy',
      'AmazonEKS_CNI_Policy',
      'AmazonEC2ContainerRegistryReadOnly',
      'AmazonSSMManagedInstanceCore'
    ].map((name) => `arn:${iam.home.partition}:iam::aws:policy/${name}`)
  })
}

/** Launches the group's instances over its zones in turn. */
export async function launchNodeGroup(
  parts: {
    readonly iam: IamState
    readonly moto: MotoServices
    readonly vpc: Vpc
    readonly clusterName: string
  },
  order: NodeGroupOrder,
  role: Role
): Promise<void> {
  const { iam, moto, vpc, clusterName } = parts
  const name = `eks-${randomUUID()}`
  iam.instanceProfiles.set(name, {
    name,
    id: awsId('AIPA'),
    arn: iamArn(iam.home, `instance-profile/${name}`),
    path: '/',
    createdAt: new Date(iam.now()),
    roleName: role.name,
    tags: []
  })
  const privateOnes = vpc.subnets.filter((subnet) => !subnet.public)
  const subnets = (privateOnes.length > 0 ? privateOnes : vpc.subnets).slice(0, order.zones)
  for (let index = 0; index < order.count; index++) {
    const subnet = subnets[index % subnets.length]
    const image = images.find((one) => one.architecture === 'x86_64')
    if (subnet === undefined || image === undefined) {
      throw new Error(`${order.name}: no subnet or no image to launch an instance with`)
    }
    await moto.runNodegroupInstance({
      type: order.instanceType,
      imageId: image.id,
      subnetId: subnet.id,
      securityGroupId: vpc.clusterSecurityGroupId,
      profile: name,
      tags: {
        Name: `${clusterName}-${order.name}-Node`,
        'eks:cluster-name': clusterName,
        'eks:nodegroup-name': order.name,
        [`kubernetes.io/cluster/${clusterName}`]: 'owned'
      }
    })
  }
}
