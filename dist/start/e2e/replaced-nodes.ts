import type { Sandbox } from '../sandbox/index.js'
import { list, text } from '../sandbox/values.js'
import { at, listed, paths, until, type KubernetesObject } from './scenario.js'

export interface TaggedNodes {
  readonly cluster: string
  /** Value of the tag `team` on instances, a field that the drift hash has. */
  readonly team: string
  /** How many nodes may be disrupted at once. */
  readonly budget: string
  readonly image?: string
}

/** The default NodePool and EC2NodeClass of a cluster. */
export function nodePoolsWithTag({ cluster, team, budget, image = 'al2023@latest' }: TaggedNodes): string {
  return `
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata:
  name: default
spec:
  role: KarpenterNodeRole-${cluster}
  amiSelectorTerms: [{ alias: ${image} }]
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: ${cluster} } }]
  securityGroupSelectorTerms: [{ tags: { karpenter.sh/discovery: ${cluster} } }]
  tags: { team: ${team} }
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: default
spec:
  template:
    spec:
      nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: default }
      requirements:
        - { key: kubernetes.io/arch, operator: In, values: [amd64] }
        - { key: karpenter.sh/capacity-type, operator: In, values: [on-demand] }
  disruption: { consolidationPolicy: WhenEmpty, consolidateAfter: 10m, budgets: [{ nodes: '${budget}' }] }
`
}

export async function nodeClaims(sandbox: Sandbox): Promise<readonly KubernetesObject[]> {
  return listed(sandbox, paths.nodeClaims)
}

/** The hash version that the controller has written on each NodeClaim. */
export async function hashVersions(sandbox: Sandbox): Promise<readonly unknown[]> {
  const claims = await nodeClaims(sandbox)
  return claims.map((claim) =>
    at(claim, 'metadata', 'annotations', 'karpenter.k8s.aws/ec2nodeclass-hash-version')
  )
}

export function isDrifted(claim: KubernetesObject): boolean {
  return list(at(claim, 'status', 'conditions')).some(
    (one) => text(at(one, 'type')) === 'Drifted' && text(at(one, 'status')) === 'True'
  )
}

/** Resolves when Karpenter has marked so many NodeClaims. */
export async function driftedNodeClaims(sandbox: Sandbox, count: number): Promise<void> {
  await until(`${count} NodeClaims to be marked as drifted`, async () =>
    (await nodeClaims(sandbox)).filter(isDrifted).length === count ? true : undefined
  )
}
