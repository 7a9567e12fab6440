import type { Step } from '../../engine/resource.js'
import { awaitObject } from '../../kubernetes/conditions.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { ec2NodeClasses } from '../../kubernetes/kinds.js'
import { textField } from '../../kubernetes/manifest.js'
import { decided } from '../../kubernetes/view.js'

const annotation = 'karpenter.k8s.aws/ec2nodeclass-hash-version'
/** Milliseconds. A controller that is ready does it within a second or two. */
const longest = 60_000

/**
 * Waits until a controller of another version has renewed the hash of an EC2NodeClass. It gives NodeClaims that very hash
 * first, as if they had been made by the EC2NodeClass as it is then: changed before, it would be one that its nodes never
 * drift from (pkg/controllers/nodeclass/hash, seen with 1.14.0).
 */
export async function awaitRenewedHash(
  kubernetes: Kubernetes,
  name: string,
  version: string,
  step: Step
): Promise<void> {
  const until = step.now() + longest
  try {
    const renewed = await awaitObject(kubernetes, ec2NodeClasses, { name }, step.signal, (object) => {
      const now = textField(object, 'metadata', 'annotations', annotation)
      // One without it is not known to any controller, and one that is being deleted has no nodes to keep.
      if (now === undefined || now === version || object?.metadata.deletionTimestamp !== undefined)
        return decided(true)
      if (step.now() >= until) return decided(false)
      step.waiting(`Karpenter to renew the hash of EC2NodeClass ${name} (${now} to ${version})`)
      return undefined
    })
    if (!renewed)
      step.warning(
        `EC2NodeClass ${name}: Karpenter has not renewed its hash within ${longest / 1000} s; nodes that are there may keep what they have`
      )
  } finally {
    step.waiting(undefined)
  }
}
