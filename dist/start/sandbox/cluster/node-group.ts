import { randomUUID } from 'node:crypto'
import type { IamState, Role } from '../cloud/iam/state.js'
import { awsId, iamArn } from '../cloud/partition.js'
import { images, type MotoServices, type Vpc } from '../cloud/moto/index.js'
import { text } from '../values.js'

export interface NodeGroupOrder {
  readonly name: string
  readonly count: number
  readonly instanceType: string
  /** How many of the cluster's zones it spans. */
  readonly zones: number
  /** A security group of their own in the cluster's place, as terraform-aws-modules/eks gives its node groups. */
  readonly ownSecurityGroup?: boolean
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
  const securityGroupId =
    order.ownSecurityGroup === true
      ? await ownSecurityGroup(moto, vpc, clusterName)
      : vpc.clusterSecurityGroupId
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
      securityGroupId,
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

/**
 * Nodes reach each other and the API server, and it them; pods with the cluster's own group reach none of them. Source:
 * terraform-aws-modules/eks, node_groups.tf.
 */
async function ownSecurityGroup(moto: MotoServices, vpc: Vpc, clusterName: string): Promise<string> {
  const made = await moto.ec2('CreateSecurityGroup', {
    GroupName: `${clusterName}-node`,
    GroupDescription: 'EKS node shared security group',
    VpcId: vpc.id,
    TagSpecification: [
      {
        ResourceType: 'security-group',
        Tag: [
          { Key: 'Name', Value: `${clusterName}-node` },
          { Key: `kubernetes.io/cluster/${clusterName}`, Value: 'owned' }
        ]
      }
    ]
  })
  const own = text(made['groupId']) ?? ''
  const cluster = vpc.clusterSecurityGroupId
  const allow = async (to: string, from: string, protocol: string, first: number, last = first) =>
    moto.ec2('AuthorizeSecurityGroupIngress', {
      GroupId: to,
      IpPermissions: [{ IpProtocol: protocol, FromPort: first, ToPort: last, Groups: [{ GroupId: from }] }]
    })
  for (const protocol of ['tcp', 'udp']) await allow(own, own, protocol, 53)
  await allow(own, own, 'tcp', 1025, 65_535)
  for (const port of [443, 10_250]) await allow(own, cluster, 'tcp', port)
  await allow(cluster, own, 'tcp', 443)
  return own
}
