import type { Cluster } from '../../aws/environment.js'
import { controllerPods } from './controller-pods.js'
import type { Facts } from '../facts.js'
import type { Concern, Concerns } from '../finding.js'
import { exclusion } from './node-fitness.js'

type IdentityFacts = Pick<
  Facts,
  'identity' | 'podIdentityAgentPods' | 'podIdentityAgentNodes' | 'nodes' | 'values' | 'changes'
> & { readonly cluster: Pick<Cluster, 'oidcIssuer'> }

/**
 * What hands the controller its credentials. Without an agent on its node it starts, finds no credentials and exits, which
 * looks like anything but that.
 */
export function identity(facts: IdentityFacts): Concerns {
  return facts.identity === 'irsa' ? issuer(facts) : agents(facts)
}

function issuer({ cluster }: IdentityFacts): Concern[] {
  if (cluster.oidcIssuer !== '') return []
  return [
    {
      level: 'error',
      subject: 'controller-identity',
      problem: 'irsa needs the OIDC issuer of the cluster, and this cluster has none',
      evidence: 'eks:DescribeCluster: identity.oidc.issuer is empty',
      fix: 'Pass `controller-identity: pod-identity`.'
    }
  ]
}

async function agents(facts: IdentityFacts): Promise<Concern[]> {
  const { podIdentityAgentPods: agent, podIdentityAgentNodes, nodes, values } = facts
  if (agent === undefined) return []
  // What runs has its credentials; thousands of nodes are not read whole to say so again.
  if (agent.ready >= agent.desired && !(await facts.changes())) return []
  const pods = controllerPods(values)
  const fit = (await nodes()).filter((node) => exclusion(node, pods) === undefined).map(({ name }) => name)
  if (fit.length === 0 || (agent.ready >= agent.desired && agent.ready >= fit.length)) return []
  const ready = new Set(await podIdentityAgentNodes())
  const without = fit.filter((name) => !ready.has(name))
  if (without.length === 0) return []
  const none = without.length === fit.length
  return [
    {
      level: none ? 'error' : 'warning',
      subject: 'controller-identity',
      problem: none
        ? 'the Pod Identity agent is Ready on no node that can run the controller, which would get no credentials'
        : `the Pod Identity agent is not Ready on ${without.join(', ')}, where the controller would get no credentials`,
      evidence: `DaemonSet kube-system/eks-pod-identity-agent: ${agent.ready} of ${agent.desired} pods are Ready; the controller can run on ${fit.join(', ')}`,
      fix: 'See what keeps its pods: kubectl describe pods -n kube-system -l app.kubernetes.io/name=eks-pod-identity-agent. Or pass `controller-identity: irsa`.',
      ...(none && { override: 'pod-identity-agent' })
    }
  ]
}
