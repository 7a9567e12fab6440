import { withoutEncoded } from '../aws/denials.js'
import type { ContainerStateWaiting, ContainerStatus, Pod } from 'kubernetes-types/core/v1.js'
import { UserError } from '../engine/errors.js'
import { conditionOf, conditionsOf, describe, failing } from '../kubernetes/conditions.js'
import type { Manifest } from '../kubernetes/manifest.js'
import { refusedIn } from '../kubernetes/refusals.js'
import { instanceIdOf, isRunning } from './counts.js'
import { telling } from './events.js'
import { networkCause, type NetworkSeen } from './network-proof.js'
import type { KarpenterEvent } from './result.js'

/** What was seen of a scale-up that did not come about. */
export interface Seen {
  /** `smoke test of NodePool default`: what the error begins with. */
  readonly subject: string
  readonly seconds: number
  readonly replicas: number
  readonly nodePool: Manifest | undefined
  /** What the Deployment says of pods that it may not make. */
  readonly refusal: string | undefined
  readonly pods: readonly Pod[]
  /** Every NodeClaim of the test as it was last seen, those that are gone too. */
  readonly claims: readonly Manifest[]
  /** Why EC2 ended instances of theirs by itself. */
  readonly ends: readonly string[]
  readonly network: NetworkSeen | undefined
  readonly events: readonly KarpenterEvent[]
  /** Of the Deployment and of the controller. */
  readonly namespace: string
}

/** Why no pod got its node, from the end of the chain that is nearest to the cause. */
export function explain(seen: Seen): UserError {
  const running = seen.pods.filter(isRunning).length
  const so = `${running} of ${seen.replicas} pods ran after ${seen.seconds} s`
  const { problem, fix } = cause(seen)
  return new UserError(seen.subject, `${so}: ${problem}`, fix)
}

interface Cause {
  readonly problem: string
  readonly fix: string
}

function cause(seen: Seen): Cause {
  const pool = failing(seen.nodePool)[0]
  if (pool !== undefined) {
    return {
      problem: `its NodePool is not Ready: ${describe(pool)}`,
      fix: 'Correct the NodePool or its EC2NodeClass in node-pools.'
    }
  }
  if (seen.refusal !== undefined) return refused(seen.refusal, seen)
  const [end] = seen.ends
  if (end !== undefined) return { problem: `EC2 ended the instance at once: ${end}`, fix: endFix(end) }
  if (seen.network !== undefined) return networkCause(seen.network)
  if (seen.claims.length === 0) return withoutClaims(seen)
  const unfinished = seen.claims.filter((claim) => conditionOf(claim, 'Initialized')?.status !== 'True')
  const claim = unfinished.at(-1)
  if (claim !== undefined) return unfinishedClaim(claim, seen)
  return pods(seen)
}

function refused(message: string, { namespace }: Seen): Cause {
  const known = refusedIn(message, namespace)
  return {
    problem: `the cluster refuses its pods${known === undefined ? '' : ` (${known.by})`}: ${message}`,
    fix: `${known?.fix ?? 'Put right what the message names, and run again.'} Or give smoke-test: false.`
  }
}

function endFix(end: string): string {
  if (/KMS|Client\.InternalError/.test(end)) {
    return 'A volume is encrypted with a key that may not be used: the key policy must let the controller role, and AWSServiceRoleForEC2Spot for spot, create grants on it (blockDeviceMappings, or the default key of EBS).'
  }
  if (/VolumeLimitExceeded/.test(end))
    return "The account's EBS quota is used up: raise it in Service Quotas."
  return 'Put right what EC2 names, and run again.'
}

function withoutClaims(seen: Seen): Cause {
  const said = telling(seen.events).filter(
    (event) => event.object.startsWith('Pod/') || event.object.startsWith('NodePool/')
  )
  const last = said.at(-1)
  if (last === undefined) {
    const unscheduled = seen.pods
      .map((pod) => conditionOf(pod, 'PodScheduled'))
      .find((one) => one?.status === 'False')
    if (seen.pods.length === 0) {
      return {
        problem: 'the Deployment made no pods',
        fix: 'A quota or an admission policy may refuse them: kubectl get events -A --field-selector reason=FailedCreate'
      }
    }
    return {
      problem: `Karpenter made no NodeClaim and said nothing about the pods${unscheduled === undefined ? '' : ` (${unscheduled.message})`}`,
      fix: `Look at what the controller does: kubectl -n ${seen.namespace} logs -l app.kubernetes.io/name=karpenter`
    }
  }
  const limit = /limit/i.test(last.message)
  return {
    problem: `Karpenter made no NodeClaim: ${last.reason}: ${last.message}`,
    fix: limit
      ? 'Raise spec.limits of the NodePool in node-pools, or ask for fewer smoke-test-replicas.'
      : 'The requirements of the NodePool must leave an instance type with 1 free cpu in a zone of its subnets: widen them in node-pools.'
  }
}

function unfinishedClaim(claim: Manifest, seen: Seen): Cause {
  const { name } = claim.metadata
  const launched = conditionOf(claim, 'Launched')
  if (launched?.status !== 'True') {
    const said = withoutEncoded(launchProblem(name, launched, seen.events))
    return {
      problem: `NodeClaim ${name} got no instance: ${said || 'EC2 gave no answer yet'}`,
      fix: launchFix(said)
    }
  }
  const instance = instanceIdOf(claim, 'status', 'providerID') || 'its instance'
  if (conditionOf(claim, 'Registered')?.status !== 'True') {
    return {
      problem: `${instance} was launched for NodeClaim ${name} and never joined the cluster as a node`,
      fix:
        'Its role must be let in: an access entry of type EC2_LINUX, or an aws-auth line with groups system:bootstrappers and system:nodes ' +
        '(input node-access; run mode check). Otherwise its security groups or subnets do not let it reach the API endpoint: ' +
        `aws ec2 get-console-output --instance-id ${instance} shows the kubelet's own reason.`
    }
  }
  const waiting = conditionsOf(claim).find((one) => one.type === 'Initialized')
  return {
    problem: `the node of NodeClaim ${name} joined and did not become ready: ${waiting?.message || waiting?.reason || 'no reason given'}`,
    fix: 'The network plugin, a startup taint that nothing removes, or a device plugin holds it back: kubectl describe node shows which.'
  }
}

/**
 * What Karpenter says of a launch: in the claim's condition, or in an event about it, or about one before it, as Karpenter lets a
 * claim go that EC2 has nothing for and makes another, of which nothing is said yet.
 */
function launchProblem(
  name: string,
  launched: ReturnType<typeof conditionOf>,
  events: readonly KarpenterEvent[]
): string {
  const fresh = launched?.reason === 'AwaitingReconciliation'
  if (launched?.message && !fresh) return [launched.reason, launched.message].filter(Boolean).join(': ')
  const ofClaims = telling(events).filter(({ object }) => object.startsWith('NodeClaim/'))
  const about = ofClaims.findLast(({ object }) => object === `NodeClaim/${name}`) ?? ofClaims.at(-1)
  const reason = fresh ? about?.reason : launched?.reason
  return [reason, about?.message].filter(Boolean).join(': ')
}

function launchFix(said: string): string {
  if (/ServiceLinkedRole|AWSServiceRoleForEC2Spot/i.test(said)) {
    return 'Spot needs its service-linked role: aws iam create-service-linked-role --aws-service-name spot.amazonaws.com'
  }
  if (/Unauthorized|AccessDenied|not authorized/i.test(said)) {
    return "The controller role lacks what the message names: its policies are older than the controller, or a boundary or an organisation's policy denies it."
  }
  const quota =
    "The account's EC2 quota is used up: raise it in Service Quotas, or ask for fewer smoke-test-replicas."
  // Karpenter calls these insufficient capacity as well.
  if (/VcpuLimitExceeded|MaxSpotInstanceCountExceeded/.test(said)) return quota
  if (/InsufficientInstanceCapacity|insufficient capacity|UnfulfillableCapacity/i.test(said)) {
    return 'EC2 has none of these now: allow more instance types, zones or on-demand in node-pools.'
  }
  if (/limit/i.test(said)) return quota
  return 'Correct what the message names in node-pools or in the account, and run again.'
}

function pods(seen: Seen): Cause {
  for (const pod of seen.pods) {
    const proof = waitingIn(pod.status?.initContainerStatuses)
    const waiting = proof ?? waitingIn(pod.status?.containerStatuses)
    if (waiting === undefined) continue
    return {
      problem: `nodes came, pod ${pod.metadata?.name ?? ''} does not run on them: ${waiting.reason ?? ''}: ${waiting.message ?? ''}`,
      fix:
        proof === undefined
          ? 'The nodes must reach the image, and it must keep running without arguments: give smoke-test-image another one.'
          : 'The nodes must reach the image: give smoke-test-network-image another one, or none.'
    }
  }
  const unscheduled = seen.pods
    .map((pod) => conditionOf(pod, 'PodScheduled'))
    .find((one) => one?.status === 'False')
  return {
    problem: `nodes came and not all pods run on them${unscheduled === undefined ? '' : `: ${unscheduled.message}`}`,
    fix: 'Give it more time with smoke-test-timeout; kubectl describe pod shows what a pod waits for.'
  }
}

function waitingIn(statuses: readonly ContainerStatus[] = []): ContainerStateWaiting | undefined {
  return statuses
    .map((one) => one.state?.waiting)
    .find(
      (waiting) =>
        waiting?.reason !== undefined && !/^(ContainerCreating|PodInitializing)$/.test(waiting.reason)
    )
}
