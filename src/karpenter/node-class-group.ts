import { type Manifest, textField } from '../kubernetes/manifest.js'

/** API group of EC2NodeClass. */
const ofEc2 = 'karpenter.k8s.aws'

/**
 * Whether a NodePool is of Karpenter's own kind of node class. EKS Auto Mode's are of the same kind with classes of another
 * group, and AWS's own affair; one that names no group is of v1beta1, which knew no other.
 */
export function isPoolOfEc2(pool: Manifest): boolean {
  return (textField(pool, 'spec', 'template', 'spec', 'nodeClassRef', 'group') ?? ofEc2) === ofEc2
}

/** The same of a NodeClaim. */
export function isClaimOfEc2(claim: Manifest): boolean {
  return (textField(claim, 'spec', 'nodeClassRef', 'group') ?? ofEc2) === ofEc2
}
