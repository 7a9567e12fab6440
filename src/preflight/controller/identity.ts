import type { ControllerIdentityStrategy } from '../../aws/choices.js'
import type { NodeFacts } from '../../kubernetes/node-facts.js'
import { controllerPods } from './controller-pods.js'
import type { Check, Finding } from '../finding.js'
import { exclusion } from './node-fitness.js'

export interface IdentityFacts {
  readonly strategy: ControllerIdentityStrategy
  readonly oidcIssuer: string
  /** Of the agent's DaemonSet; undefined when there is none, and the run installs the add-on. */
  readonly agent: { readonly desired: number; readonly ready: number } | undefined
  /** Names of the nodes on which a pod of the agent is Ready; asked only when not all are. */
  readonly agentNodes: () => Promise<readonly string[]>
  readonly nodes: () => Promise<readonly NodeFacts[]>
  readonly values: Readonly<Record<string, unknown>>
}

/**
 * What hands the controller its credentials. Without an agent on its node it starts, finds no credentials and exits, which
 * looks like anything but that.
 */
export function identity(facts: IdentityFacts): Check {
  return {
    name: 'identity',
    run: async () => (facts.strategy === 'irsa' ? issuer(facts) : agents(facts))
  }
}

function issuer({ oidcIssuer }: IdentityFacts): Finding[] {
  if (oidcIssuer !== '') return []
  return [
    {
      check: 'identity',
      level: 'error',
      subject: 'controller-identity',
      problem: 'irsa needs the OIDC issuer of the cluster, and this cluster has none',
      evidence: 'eks:DescribeCluster: identity.oidc.issuer is empty',
      fix: 'Pass `controller-identity: pod-identity`.'
    }
  ]
}

async function agents({ agent, agentNodes, nodes, values }: IdentityFacts): Promise<Finding[]> {
  if (agent === undefined) return []
  const pods = controllerPods(values)
  const fit = (await nodes()).filter((node) => exclusion(node, pods) === undefined).map(({ name }) => name)
  if (fit.length === 0 || (agent.ready >= agent.desired && agent.ready >= fit.length)) return []
  const ready = new Set(await agentNodes())
  const without = fit.filter((name) => !ready.has(name))
  if (without.length === 0) return []
  const none = without.length === fit.length
  return [
    {
      check: 'identity',
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
