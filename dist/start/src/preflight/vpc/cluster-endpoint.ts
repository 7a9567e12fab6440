import type { Cluster } from '../../aws/environment.js'
import type { Concern } from '../finding.js'

export interface ClusterEndpointFacts {
  readonly cluster: Pick<Cluster, 'name' | 'endpoint' | 'endpointAccess'>
  /** What a request to it ended with: `does not answer within 5 s`; undefined when it answered. */
  readonly unreachable: string | undefined
}

/** A private endpoint is the most common reason why a runner cannot reach it: what EKS says of it is the evidence. */
export function clusterEndpoint({ cluster, unreachable }: ClusterEndpointFacts): readonly Concern[] {
  return unreachable === undefined ? [] : [concern(cluster, unreachable)]
}

const inside =
  'run the job on a runner inside the VPC (or one that reaches it through HTTPS_PROXY and NO_PROXY)'

function concern({ name, endpointAccess }: ClusterEndpointFacts['cluster'], unreachable: string): Concern {
  const { publicly, privately, cidrs } = endpointAccess
  const open = (ranges: string): string =>
    `aws eks update-cluster-config --name ${name} --resources-vpc-config endpointPublicAccess=true,publicAccessCidrs=${ranges}`
  const [problem, fix] = !publicly
    ? [
        'the API server of this cluster has a private endpoint only, which this runner does not reach',
        `Either ${inside}, or open the endpoint to the runner's address: ${open('<runner CIDR>')}`
      ]
    : cidrs.length > 0 && !cidrs.includes('0.0.0.0/0')
      ? [
          "the API server's public endpoint takes requests from certain addresses only, and this runner's is not among them",
          `Either ${inside}, or add the runner's address: ${open([...cidrs, '<runner CIDR>'].join(','))}`
        ]
      : [
          "the API server's public endpoint is open to all, and this runner does not reach it",
          'Check the network of the runner: firewall, DNS, HTTPS_PROXY, NO_PROXY.'
        ]
  return {
    level: 'error',
    subject: 'cluster-name',
    problem,
    evidence: `${unreachable}; eks:DescribeCluster: endpointPublicAccess ${String(publicly)}, endpointPrivateAccess ${String(privately)}, publicAccessCidrs ${cidrs.join(', ') || 'none'}`,
    fix
  }
}
