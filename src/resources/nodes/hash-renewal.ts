import type { Step } from '../../engine/resource.js'
import { type Manifest, textField } from '../../kubernetes/manifest.js'
import { decided } from '../../kubernetes/view.js'
import type { AwaitByName } from '../../kubernetes/waits-together.js'

const annotation = 'karpenter.k8s.aws/ec2nodeclass-hash-version'
/** Milliseconds. A controller that is ready does it within a second or two. */
const longest = 60_000

/** What the new controller computes; `version` undefined: not known. */
export interface NewHash {
  readonly version: string | undefined
}

/** Version of the hash that an EC2NodeClass bears; undefined where no controller has hashed it. */
export function hashVersionOf(object: Manifest | undefined): string | undefined {
  return textField(object, 'metadata', 'annotations', annotation)
}

/**
 * Waits until a controller of another version has renewed the hash of an EC2NodeClass. It gives NodeClaims that very hash
 * first, as if they had been made by the EC2NodeClass as it is then: changed before, it would be one that its nodes never
 * drift from (pkg/controllers/nodeclass/hash, seen with 1.14.0). It is renewed when it is no longer what it was `before` that
 * controller; what is `wanted` only says whether there is anything to wait for.
 */
export async function awaitRenewedHash(
  byName: AwaitByName,
  {
    name,
    before,
    wanted
  }: { readonly name: string; readonly before: string | undefined; readonly wanted: string | undefined },
  step: Step
): Promise<void> {
  // One without it is not known to any controller.
  if (before === undefined || before === wanted) return
  const until = step.now() + longest
  try {
    const renewed = await byName(name, step.signal, (object) => {
      const now = hashVersionOf(object)
      // One that is being deleted has no nodes to keep.
      if (now !== before || object?.metadata.deletionTimestamp !== undefined) return decided(true)
      if (step.now() >= until) return decided(false)
      step.waiting(
        `Karpenter to renew the hash of EC2NodeClass ${name} (${before} to ${wanted ?? 'another, if its version has one'})`
      )
      return undefined
    })
    if (renewed) return
    step.warning(
      wanted === undefined
        ? `EC2NodeClass ${name}: its hash is still of version ${before} after ${longest / 1000} s, and whether this Karpenter computes another one is not known; if it does, nodes that are there keep what they have: look whether they drift (kubectl get nodeclaims -o wide)`
        : `EC2NodeClass ${name}: Karpenter has not renewed its hash within ${longest / 1000} s; nodes that are there may keep what they have`
    )
  } finally {
    step.waiting(undefined)
  }
}
