import type { Aws } from '../../aws/clients.js'
import { awsProblem } from '../../aws/errors.js'
import { terminateInstances } from '../../aws/karpenter-instances.js'
import type { Step } from '../../engine/resource.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { isKubernetesError } from '../../kubernetes/errors.js'
import { nodeClaims, nodes, pods, type Kind } from '../../kubernetes/kinds.js'
import { field, listField, textField, type Manifest } from '../../kubernetes/manifest.js'
import type { Pod } from 'kubernetes-types/core/v1.js'

/**
 * When a NodeClaim's node is to be empty. Past it Karpenter deletes pods whatever their budget or do-not-disrupt, awaits
 * no volumes, and ends the instance (Karpenter's core 1.2 and 1.14, node termination controller).
 */
const terminationTimestamp = 'karpenter.sh/nodeclaim-termination-timestamp'
/** Held by Karpenter on NodeClaims and on their Nodes. */
const nodeFinalizer = 'karpenter.sh/termination'
/** Held by Karpenter on EC2NodeClasses. */
export const nodeClassFinalizer = 'karpenter.k8s.aws/termination'

/** Seconds that pods get to end, at most, once a drain is forced. */
const forcedGraceSeconds = 30

/**
 * Sets the time by which a NodeClaim's node must be empty, half a minute from now; an earlier time that is set already
 * stays. Milliseconds since the epoch of the time that holds.
 */
export async function forceDrain(kubernetes: Kubernetes, claim: Manifest, step: Step): Promise<number> {
  const set = Date.parse(claim.metadata.annotations?.[terminationTimestamp] ?? '')
  const wanted = step.now() + forcedGraceSeconds * 1000
  if (set <= wanted) return set
  const at = `${new Date(wanted).toISOString().slice(0, 19)}Z`
  const { name } = claim.metadata
  try {
    await kubernetes.patch(
      nodeClaims,
      { name },
      { type: 'merge', value: { metadata: { annotations: { [terminationTimestamp]: at } } } }
    )
    step.changed(`forced the drain of NodeClaim ${name}: its pods end by ${at}, whatever protects them`)
  } catch (error) {
    if (!isKubernetesError(error, 404)) throw error
  }
  return wanted
}

/**
 * Shortens the grace period of pods that are ending already and would outlast the forced drain, as Karpenter itself does
 * from 1.3 on and not before.
 */
export async function shortenGrace(
  kubernetes: Kubernetes,
  ending: readonly Pod[],
  until: number,
  step: Step
): Promise<void> {
  const late = ending.filter((pod) => Date.parse(pod.metadata?.deletionTimestamp ?? '') > until + 1_000)
  for (const { metadata } of late) {
    const seconds = Math.max(1, Math.floor((until - step.now()) / 1000))
    const at = { name: metadata?.name ?? '', namespace: metadata?.namespace }
    const uid = metadata?.uid
    const outcome = await kubernetes.delete(pods, at, {
      gracePeriodSeconds: seconds,
      ...(uid !== undefined && { uid })
    })
    if (outcome === 'deleted')
      step.changed(`pod ${at.namespace ?? ''}/${at.name} has ${seconds} s left to end`)
  }
}

/**
 * Does what the controller would have done for NodeClaims, where none runs: ends their instances through EC2, deletes
 * their Nodes, and takes Karpenter's finalizers off. Each part is safe to do again. Rejects with UserError.
 */
export async function removeWithoutController(
  ports: { readonly kubernetes: Kubernetes; readonly aws: Aws },
  claims: readonly Manifest[],
  step: Step
): Promise<void> {
  const { kubernetes, aws } = ports
  const instances = claims.flatMap((claim) => instanceOf(claim) ?? [])
  await endInstances(aws, instances, step)
  for (const claim of claims) {
    const node = textField(claim, 'status', 'nodeName')
    if (node !== undefined && node !== '') {
      await kubernetes.delete(nodes, { name: node })
      await takeFinalizerOff(kubernetes, nodes, node, nodeFinalizer, step)
    }
    const { name } = claim.metadata
    await kubernetes.delete(nodeClaims, { name })
    await takeFinalizerOff(kubernetes, nodeClaims, name, nodeFinalizer, step)
  }
}

/** Asks EC2 to end instances; whoever waits for their end does so elsewhere. */
export async function endInstances(aws: Aws, ids: readonly string[], step: Step): Promise<void> {
  if (ids.length === 0) return
  try {
    await terminateInstances(aws, ids)
  } catch (error) {
    throw awsProblem(
      'EC2 instances of Karpenter',
      `${ids.join(', ')} could not be terminated`,
      error,
      'Put right what AWS says above (termination protection is taken off with aws ec2 modify-instance-attribute --no-disable-api-termination), then run again.'
    )
  }
  step.changed(`terminated EC2 instances ${ids.join(', ')}`)
}

/** i-... out of `aws:///eu-west-1a/i-...`; undefined before the launch. */
export function instanceOf(claim: Manifest): string | undefined {
  const id = textField(claim, 'status', 'providerID')?.split('/').at(-1)
  return id?.startsWith('i-') === true ? id : undefined
}

/** Takes one finalizer off an object, whatever others it has; an object that is gone is no error. */
export async function takeFinalizerOff<T>(
  kubernetes: Kubernetes,
  kind: Kind<T>,
  name: string,
  finalizer: string,
  step: Step
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const live = await kubernetes.get(kind, name)
    const finalizers = listField(live, 'metadata', 'finalizers')
    if (live === undefined || !finalizers.includes(finalizer)) return
    const kept = finalizers.filter((one) => one !== finalizer)
    const resourceVersion = field(live, 'metadata', 'resourceVersion')
    try {
      const value = { metadata: { resourceVersion, finalizers: kept } }
      await kubernetes.patch(kind, { name }, { type: 'merge', value })
      step.changed(`took finalizer ${finalizer} off ${kind.kind} ${name}`)
      return
    } catch (error) {
      if (isKubernetesError(error, 404)) return
      if (attempt === 5 || !isKubernetesError(error, 409)) throw error
    }
  }
}
