import type { Account, Cluster } from '../../aws/environment.js'
import { iamArn } from '../../aws/partition.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'

type Ipv6Facts = Pick<Facts, 'changes' | 'nodeRolePolicies' | 'cniRole'> & {
  readonly account: Account
  readonly cluster: Pick<Cluster, 'name' | 'ipFamily'>
}

const policyName = 'AmazonEKS_CNI_IPv6_Policy'

/**
 * In an IPv6 cluster the VPC CNI assigns IPv6 addresses, which no policy of the stack's node role allows, and there is none
 * of AWS's own that does. Source: EKS user guide, "Configure Amazon VPC CNI plugin to use IRSA", step for the IPv6 family.
 */
export async function ipv6Pods(facts: Ipv6Facts): Promise<readonly Concern[]> {
  const { account, cluster, nodeRolePolicies } = facts
  if (cluster.ipFamily !== 'ipv6' || nodeRolePolicies.length > 0 || !(await facts.changes())) return []
  if ((await facts.cniRole()) !== undefined) return []
  const arn = iamArn(account, `policy/${policyName}`)
  return [
    {
      level: 'warning',
      subject: 'node-role-policies',
      problem: `pods of ${cluster.name} have IPv6 addresses, and neither the node role nor a role of service account kube-system/aws-node may assign them (ec2:AssignIpv6Addresses): new nodes would not become ready`,
      evidence: 'eks:DescribeCluster: kubernetesNetworkConfig.ipFamily is ipv6',
      fix: `Pass \`node-role-policies: ${arn}\`. Where there is no such policy yet: aws iam create-policy --policy-name ${policyName} --policy-document '${JSON.stringify(documentOf(account.partition))}'`
    }
  ]
}

function documentOf(partition: string): unknown {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: [
          'ec2:AssignIpv6Addresses',
          'ec2:DescribeInstances',
          'ec2:DescribeTags',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeInstanceTypes'
        ],
        Resource: '*'
      },
      {
        Effect: 'Allow',
        Action: 'ec2:CreateTags',
        Resource: `arn:${partition}:ec2:*:*:network-interface/*`
      }
    ]
  }
}
