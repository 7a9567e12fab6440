import { inSpan, type Span } from './versions.js'

/**
 * What makes Karpenter replace nodes when a NodePool or EC2NodeClass changes. Sources: `hash:"ignore"` tags, Hash() and the
 * hash controllers in pkg/apis/v1 and pkg/controllers of aws/karpenter-provider-aws and kubernetes-sigs/karpenter, and
 * pkg/cloudprovider/drift.go, at the tags 1.0.0 to 1.14.1.
 */

/** How a change of a field reaches the nodes that are there. */
export type DriftEffect =
  /** Part of the hash: every node is replaced. */
  | 'all'
  /** Nodes are compared with what the field finds or allows: those that no longer fit are replaced. */
  | 'those that no longer fit'
  | 'none'

/** Fields of an EC2NodeClass that are left out of the hash, and what they do instead. */
const nodeClassFields: readonly {
  readonly field: string
  readonly effect: DriftEffect
  readonly span?: Span
}[] = [
  { field: 'subnetSelectorTerms', effect: 'those that no longer fit' },
  { field: 'securityGroupSelectorTerms', effect: 'those that no longer fit' },
  { field: 'capacityReservationSelectorTerms', effect: 'those that no longer fit' },
  { field: 'amiSelectorTerms', effect: 'those that no longer fit' },
  // Hashed as the family that it comes to, an alias's own included: see amiFamilyOf.
  { field: 'amiFamily', effect: 'none' },
  { field: 'ipPrefixCount', effect: 'none' },
  { field: 'kubelet', effect: 'none', span: { before: '1.1.0' } }
]

/** `path` as a difference names it: `spec.tags.team`, `spec.amiSelectorTerms`. */
export function nodeClassEffect(path: string, karpenter: string): DriftEffect {
  const name = /^spec\.([^.[]+)/.exec(path)?.[1]
  if (name === undefined) return 'none'
  const found = nodeClassFields.find(
    ({ field, span }) => field === name && (span === undefined || inSpan(karpenter, span))
  )
  return found?.effect ?? 'all'
}

/** A NodePool's hash is that of its template without requirements, against which each node's labels are held. */
export function nodePoolEffect(path: string): DriftEffect {
  if (!path.startsWith('spec.template')) return 'none'
  return path.startsWith('spec.template.spec.requirements') ? 'those that no longer fit' : 'all'
}
