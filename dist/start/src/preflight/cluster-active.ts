import type { Cluster } from '../aws/environment.js'
import type { Concern } from './finding.js'

/** A cluster that is being made, deleted or has failed takes no installation; one that is being updated does. */
export function clusterActive({
  cluster: { name, status }
}: {
  readonly cluster: Pick<Cluster, 'name' | 'status'>
}): readonly Concern[] {
  if (status === 'ACTIVE') return []
  const updating = status === 'UPDATING'
  return [
    {
      level: updating ? 'warning' : 'error',
      subject: 'cluster-name',
      problem: updating
        ? `${name} is being updated; its API can be away for moments`
        : `${name} is ${status}, not ACTIVE`,
      evidence: updating ? 'eks:DescribeCluster: status UPDATING' : '',
      fix:
        status === 'CREATING' || updating
          ? `Wait until it is done: aws eks wait cluster-active --name ${name}`
          : 'Pass a cluster that is ACTIVE.'
    }
  ]
}
