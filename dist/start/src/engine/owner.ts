/** What this action is called wherever it signs what it writes: tags, labels, field manager, user agent. */
export const ourName = 'setup-karpenter'

/** Whose a thing is, as far as can be seen on it. */
export type Owner =
  /** Made by this action for this cluster. */
  | { readonly kind: 'ours' }
  /** Another tool keeps it and may put it back or take it away. */
  | {
      readonly kind: 'other'
      /** For a person: `eksctl, CloudFormation stack eksctl-blue-karpenter`. */
      readonly who: string
      /** What says so, one line each: `tag alpha.eksctl.io/cluster-name=blue`. */
      readonly evidence: readonly string[]
    }
  /** Nothing says who keeps it: made by hand, or by a program that leaves no mark. */
  | {
      readonly kind: 'unmarked'
      /** Traces that name no keeper: `annotation kubectl.kubernetes.io/last-applied-configuration`. */
      readonly evidence: readonly string[]
    }

/** Of several things that are one: somebody else's as soon as one of them is, and ours only if all are. */
export function ownerOfAll(owners: readonly Owner[]): Owner {
  const others = owners.filter((owner) => owner.kind === 'other')
  const [first] = others
  if (first === undefined)
    return owners.find(({ kind }) => kind === 'unmarked') ?? owners[0] ?? { kind: 'unmarked', evidence: [] }
  return { ...first, evidence: [...new Set(others.flatMap(({ evidence }) => evidence))] }
}
