import type { SecurityGroup, Subnet } from '../../aws/discover.js'
import { discoveryTag } from '../../karpenter/names.js'
import type { Concern } from '../finding.js'

/** What nobody chose in the inputs, and Karpenter finds all the same: by the tag, in the whole account and region. */
export function alsoTagged(
  { clusterName, vpcId }: { readonly clusterName: string; readonly vpcId: string },
  more: { readonly subnets: readonly Subnet[]; readonly securityGroups: readonly SecurityGroup[] }
): readonly Concern[] {
  const tag = `${discoveryTag}=${clusterName}`
  const of = (
    input: 'subnets' | 'security-groups',
    things: readonly (Subnet | SecurityGroup)[]
  ): Concern[] => {
    const [ids, foreign] = [
      things.filter((one) => one.vpcId === vpcId).map(({ id }) => id),
      things.filter((one) => one.vpcId !== vpcId)
    ]
    const untag = (those: readonly string[]): string =>
      `aws ec2 delete-tags --resources ${those.join(' ')} --tags Key=${discoveryTag}`
    return [
      ...(ids.length === 0
        ? []
        : [
            {
              level: 'note' as const,
              subject: input,
              problem: `Karpenter uses ${ids.join(', ')} as well, which \`${input}\` does not name`,
              evidence: `tagged ${tag}`,
              fix: `Nothing, if that is meant. Else: ${untag(ids)}`
            }
          ]),
      ...(foreign.length === 0
        ? []
        : [
            {
              level: 'warning' as const,
              subject: input,
              problem: `Karpenter would use ${foreign.map(({ id }) => id).join(', ')} as well, of another VPC than the cluster's, where no node can join`,
              evidence: `tagged ${tag}; ${foreign.map((one) => `${one.id} is in ${one.vpcId}`).join(', ')}`,
              fix: `Take the tag off: ${untag(foreign.map(({ id }) => id))}`
            }
          ])
    ]
  }
  return [...of('subnets', more.subnets), ...of('security-groups', more.securityGroups)]
}
