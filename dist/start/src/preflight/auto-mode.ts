import type { Cluster } from '../aws/environment.js'
import type { Concern } from './finding.js'

/** On EKS Auto Mode AWS runs Karpenter itself; a second one would fight over the same NodePools and NodeClaims. */
export function autoMode({
  cluster
}: {
  readonly cluster: Pick<Cluster, 'name' | 'autoMode'>
}): readonly Concern[] {
  return cluster.autoMode
    ? [
        {
          level: 'error',
          subject: 'cluster-name',
          problem: `${cluster.name} is in EKS Auto Mode, where AWS runs Karpenter for you`,
          evidence: 'eks:DescribeCluster: computeConfig.enabled is true',
          fix: `Give Auto Mode NodePools of your own instead, or turn it off first: aws eks update-cluster-config --name ${cluster.name} --compute-config enabled=false --kubernetes-network-config '{"elasticLoadBalancing":{"enabled":false}}' --storage-config '{"blockStorage":{"enabled":false}}'`
        }
      ]
    : []
}
