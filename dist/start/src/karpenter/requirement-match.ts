import { isMap } from '../engine/json.js'
import { field, listField, type Manifest, textField } from '../kubernetes/manifest.js'
import type { Labels } from './instance-labels.js'

/** A requirement of a NodePool, read from whatever manifest it stands in. */
export interface NodeRequirement {
  readonly key: string
  readonly operator: string
  readonly values: readonly string[]
  /** How many values of the label the instance types that are left must have among them. */
  readonly minValues?: number
}

/** What a NodePool asks of its nodes: its requirements, and its template's labels, each of which is one. */
export function requirementsOf(nodePool: Manifest): readonly NodeRequirement[] {
  const labels = field(nodePool, 'spec', 'template', 'metadata', 'labels')
  return [
    ...listField(nodePool, 'spec', 'template', 'spec', 'requirements').map((one) => {
      const minValues = field(one, 'minValues')
      return {
        key: textField(one, 'key') ?? '',
        operator: textField(one, 'operator') ?? '',
        values: listField(one, 'values').map(String),
        ...(typeof minValues === 'number' && { minValues })
      }
    }),
    ...Object.entries(isMap(labels) ? labels : {}).map(([key, value]) => ({
      key,
      operator: 'In',
      values: [String(value)]
    }))
  ]
}

/**
 * The values of a label that a requirement leaves; undefined when it excludes them all. No values: the node does not have
 * the label. Source: pkg/scheduling/requirement.go of kubernetes-sigs/karpenter, 1.2.1 to 1.14.0.
 */
export function left(values: readonly string[], requirement: NodeRequirement): readonly string[] | undefined {
  const bound = Number(requirement.values[0])
  const some = (keep: (value: string) => boolean): readonly string[] | undefined => {
    const kept = values.filter(keep)
    return kept.length === 0 ? undefined : kept
  }
  switch (requirement.operator) {
    case 'In':
      return some((value) => requirement.values.includes(value))
    case 'NotIn':
      return values.length === 0 ? values : some((value) => !requirement.values.includes(value))
    case 'Exists':
      return some(() => true)
    case 'DoesNotExist':
      return values.length === 0 ? values : undefined
    case 'Gt':
      return some((value) => Number(value) > bound)
    case 'Gte':
      return some((value) => Number(value) >= bound)
    case 'Lt':
      return some((value) => Number(value) < bound)
    case 'Lte':
      return some((value) => Number(value) <= bound)
    default:
      return values
  }
}

/**
 * How many of the requirements labels meet before the first that they do not; as many as there are when they meet them
 * all. A requirement on a label that is not among them is met.
 */
export function met(labels: Labels, requirements: readonly NodeRequirement[]): number {
  const now = new Map(Object.entries(labels))
  for (const [index, requirement] of requirements.entries()) {
    const values = now.get(requirement.key)
    if (values === undefined) continue
    const kept = left(values, requirement)
    if (kept === undefined) return index
    now.set(requirement.key, kept)
  }
  return requirements.length
}

/** `karpenter.k8s.aws/instance-cpu Gt 96`, for a person. */
export function requirementText({ key, operator, values }: NodeRequirement): string {
  const some = values.length > 6 ? [...values.slice(0, 6), `and ${values.length - 6} more`] : values
  return [key, operator, some.join(', ')].join(' ').trim()
}
