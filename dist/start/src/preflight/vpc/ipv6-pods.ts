import type { Account, Cluster } from '../../aws/environment.js'
import { iamArn } from '../../aws/partition.js'
import { allowancesOf } from '../../aws/policy/statements.js'
import { matchesAction } from '../../aws/wildcards.js'
import type { RenderedStack } from '../../karpenter/rendered-stack.js'
import { denialOf } from '../../resources/denied.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'

type Ipv6Facts = Pick<Facts, 'changes' | 'nodePolicies' | 'cniRole' | 'usesOthersRole'> & {
  readonly stack: Pick<RenderedStack, 'nodeRole'>
  readonly account: Account
  readonly cluster: Pick<Cluster, 'name' | 'ipFamily'>
}

const assign = 'ec2:AssignIpv6Addresses'
const policyName = 'AmazonEKS_CNI_IPv6_Policy'

/**
 * In an IPv6 cluster the VPC CNI assigns IPv6 addresses, which no policy of the stack's node role allows, and there is none
 * of AWS's own that does. Source: EKS user guide, "Configure Amazon VPC CNI plugin to use IRSA", step for the IPv6 family.
 */
export async function ipv6Pods(facts: Ipv6Facts): Promise<readonly Concern[]> {
  const { account, cluster, stack, usesOthersRole } = facts
  if (cluster.ipFamily !== 'ipv6' || !(await facts.changes())) return []
  const [cni, { documents, unread }] = await Promise.all([cniRole(facts), facts.nodePolicies()])
  if (cni.has || allowancesOf(documents).some(({ action }) => matchesAction(action, assign))) return []
  const unknown = [...cni.unread, ...unread]
  if (unknown.length > 0) return [notSeen(cluster.name, unknown)]
  const arn = iamArn(account, `policy/${policyName}`)
  const give = usesOthersRole
    ? `Attach ${arn} to role ${stack.nodeRole.name}, or give service account kube-system/aws-node a role with it.`
    : `Pass \`node-role-policies: ${arn}\`.`
  return [
    {
      level: 'warning',
      subject: usesOthersRole ? 'node-role-name' : 'node-role-policies',
      problem: `pods of ${cluster.name} have IPv6 addresses, and neither the node role nor a role of service account kube-system/aws-node may assign them (${assign}): new nodes would not become ready`,
      evidence: 'eks:DescribeCluster: kubernetesNetworkConfig.ipFamily is ipv6',
      fix: `${give} Where there is no such policy yet: aws iam create-policy --policy-name ${policyName} --policy-document '${JSON.stringify(documentOf(account.partition))}'`
    }
  ]
}

/** Whether the VPC CNI has a role of its own, which is trusted to do. */
async function cniRole(
  facts: Pick<Ipv6Facts, 'cniRole'>
): Promise<{ readonly has: boolean; readonly unread: readonly string[] }> {
  try {
    return { has: (await facts.cniRole()) !== undefined, unread: [] }
  } catch (error) {
    const denial = denialOf(error)
    if (denial === undefined) throw error
    return { has: false, unread: [`the role of service account kube-system/aws-node: ${denial.reason}`] }
  }
}

function notSeen(clusterName: string, unread: readonly string[]): Concern {
  return {
    level: 'note',
    subject: 'node-role-policies',
    problem: `pods of ${clusterName} have IPv6 addresses, and whether new nodes may assign them (${assign}) could not be seen: ${unread.join('; ')}`,
    evidence: '',
    fix: 'Allow it to have this looked at.'
  }
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
