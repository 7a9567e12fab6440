import type { Manifest, ManifestMetadata } from '../kubernetes/manifest.js'

/** The fields of karpenter.sh/v1 and karpenter.k8s.aws/v1 that this action writes; others pass through untouched. */

export interface Requirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt' | 'Gte' | 'Lte'
  readonly values?: readonly string[]
  readonly minValues?: number
}

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
}

export interface NodeClassRef {
  readonly group: string
  readonly kind: string
  readonly name: string
}

export interface Disruption {
  readonly consolidationPolicy: 'WhenEmpty' | 'WhenEmptyOrUnderutilized' | 'Balanced'
  /** A duration, or Never. */
  readonly consolidateAfter: string
  readonly budgets?: readonly { readonly nodes: string; readonly [field: string]: unknown }[]
}

export interface NodePoolSpec {
  readonly template: {
    readonly metadata?: {
      readonly labels?: Readonly<Record<string, string>>
      readonly annotations?: Readonly<Record<string, string>>
    }
    readonly spec: {
      readonly nodeClassRef: NodeClassRef
      readonly requirements: readonly Requirement[]
      readonly taints?: readonly Taint[]
      readonly startupTaints?: readonly Taint[]
      /** A duration, or Never. */
      readonly expireAfter?: string
      readonly [field: string]: unknown
    }
  }
  readonly disruption?: Disruption
  readonly limits?: Readonly<Record<string, string>>
  readonly weight?: number
  readonly [field: string]: unknown
}

export interface NodePool extends Manifest {
  readonly apiVersion: 'karpenter.sh/v1'
  readonly kind: 'NodePool'
  readonly metadata: ManifestMetadata
  readonly spec: NodePoolSpec
}

/** One way to find a subnet or security group: an id, or tags that it has all of. */
export interface SelectorTerm {
  readonly id?: string
  readonly name?: string
  readonly tags?: Readonly<Record<string, string>>
}

export interface AmiSelectorTerm extends SelectorTerm {
  readonly alias?: string
  readonly owner?: string
  readonly ssmParameter?: string
}

export interface EC2NodeClassSpec {
  readonly amiFamily?: string
  readonly amiSelectorTerms: readonly AmiSelectorTerm[]
  readonly subnetSelectorTerms: readonly SelectorTerm[]
  readonly securityGroupSelectorTerms: readonly SelectorTerm[]
  /** One of role and instanceProfile. */
  readonly role?: string
  readonly instanceProfile?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

export interface EC2NodeClass extends Manifest {
  readonly apiVersion: 'karpenter.k8s.aws/v1'
  readonly kind: 'EC2NodeClass'
  readonly metadata: ManifestMetadata
  readonly spec: EC2NodeClassSpec
}
