import type { Event } from 'kubernetes-types/core/v1.js'
import { messageOf, UserError } from '../engine/errors.js'
import type { Step } from '../engine/resource.js'
import type { Ownership } from '../aws/environment.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { KubernetesError } from '../kubernetes/errors.js'
import { deployments, nodePools } from '../kubernetes/kinds.js'
import { textField, type Manifest } from '../kubernetes/manifest.js'
import { cleanUpTest } from './clean-up.js'
import {
  addedNodes,
  describeNodes,
  instanceIdOf,
  isRunning,
  lastStages,
  type NodesBefore,
  otherInstances,
  runningSince,
  timeOf
} from './counts.js'
import { EventLog } from './events.js'
import type { FollowedObjects, TestObjects } from './followed-objects.js'
import { objectNames, smokeTestObjects, type TestIdentity } from './objects.js'
import type { RemovalView } from '../resources/removal/removal-view.js'
import { readyNodePool } from './ready-node-pool.js'
import type { InstanceEnds, InstanceStates } from './instance-states.js'
import type { InstanceGroups } from './network-proof.js'
import type { NodePoolResult } from './result.js'
import { scaleDown } from './scale-down.js'
import { awaitScaleUp } from './scale-up.js'
import { Turns } from './took.js'

export interface SmokeTestOptions extends TestIdentity {
  /** Name of the NodePool under test. */
  readonly nodePool: string
  /** Where the Deployment goes: the controller's namespace. */
  readonly namespace: string
  readonly replicas: number
  readonly onePerNode: boolean
  readonly image: string
  readonly networkImage: string | undefined
  /** For the scale-up, and again for the scale-down. */
  readonly timeoutSeconds: number
}

export interface SmokeTestPorts {
  readonly kubernetes: Kubernetes
  readonly before: NodesBefore
  /** How many nodes the cluster has now but for those of smoke tests. */
  readonly otherNodes: () => Promise<number>
  readonly instanceStates: InstanceStates
  readonly instanceEnds: InstanceEnds
  readonly instanceGroups: InstanceGroups
  readonly drains: RemovalView
  readonly followed: FollowedObjects
  readonly ownership: Ownership
}

/**
 * Proves that Karpenter makes nodes for pods of one NodePool and gives them back: counts, stage times, events. Its own
 * objects are gone afterwards, whatever happened, except when the signal is aborted: then `cleanUp` of the post step
 * removes them.
 */
export async function runSmokeTest(
  options: SmokeTestOptions,
  ports: SmokeTestPorts,
  step: Step
): Promise<NodePoolResult> {
  const kubernetes = ports.kubernetes.within(step.signal)
  const turns = new Turns(() => step.now())
  turns.to('karpenter')
  const underTest = await readyNodePool(kubernetes, options.nodePool, step)
  turns.to('ours')
  const seen = new Map<string, Manifest>()
  const events = new EventLog()
  const isOwn = aboutTest(options.id, seen)
  const names = objectNames(options.id)
  const listener = {
    claim: (claim: Manifest) => {
      if (claim.metadata.labels?.['karpenter.sh/nodepool'] === names.nodePool)
        seen.set(claim.metadata.uid ?? '', claim)
    },
    event: (event: Event) => events.add(event, isOwn)
  }
  try {
    const followed = await ports.followed.of(options.id, listener)
    return await upAndDown(
      underTest,
      options,
      { ...ports, kubernetes },
      { followed, seen, events, turns, step }
    )
  } catch (error) {
    if (!step.signal.aborted) await cleanUpAfter(kubernetes, options, step)
    throw error
  } finally {
    ports.followed.leave(listener)
  }
}

async function upAndDown(
  underTest: Manifest,
  options: SmokeTestOptions,
  ports: SmokeTestPorts,
  {
    followed,
    seen,
    events,
    turns,
    step
  }: {
    readonly followed: TestObjects
    /** Every NodeClaim that the test ever had. */
    readonly seen: ReadonlyMap<string, Manifest>
    readonly events: EventLog
    readonly turns: Turns
    readonly step: Step
  }
): Promise<NodePoolResult> {
  const {
    kubernetes,
    followed: { view }
  } = ports
  const { claims } = followed
  const { uids: before, count: nodesBefore } = ports.before
  const { id, namespace, replicas, timeoutSeconds } = options
  const subject = subjectOf(options)
  const objects = smokeTestObjects(options, underTest, options, ports.ownership)
  await create(
    () => kubernetes.apply(nodePools, objects.nodePool, { force: true, fieldValidation: 'Strict' }),
    subject,
    step
  )
  const deployment = await create(
    () => kubernetes.apply(deployments, objects.deployment, { force: true }),
    subject,
    step
  )
  const since = timeOf(textField(deployment, 'metadata', 'creationTimestamp')) ?? step.now()
  turns.to('karpenter')
  await awaitScaleUp(
    view,
    {
      subject,
      id,
      replicas,
      timeoutSeconds,
      namespace,
      before,
      deployments: followed.deployments,
      pods: followed.pods,
      nodes: followed.nodes,
      claims,
      pools: followed.pools,
      seen,
      instanceEnds: ports.instanceEnds,
      instanceGroups: ports.instanceGroups,
      otherInstances: async () => otherInstances(kubernetes),
      events: () => events.all,
      turns
    },
    step
  )
  turns.to('ours')
  const running = followed.pods.objects.filter(isRunning)
  const added = addedNodes(followed.nodes.objects, before, id)
  const counted = {
    nodesBefore,
    nodesAfter: (await ports.otherNodes()) + added.length,
    nodesAdded: added.length,
    nodes: describeNodes(added, claims.objects, running),
    podsRunning: running.length
  }
  const stages = lastStages(claims.objects, since)
  const lastPod = Math.max(since, ...running.map((pod) => runningSince(pod) ?? since))
  step.note(
    `${subject}: ${counted.podsRunning} pods run on ${counted.nodesAdded} new nodes (${counted.nodesBefore} before, ${counted.nodesAfter} after)`
  )
  const down = await scaleDown(
    kubernetes,
    view,
    {
      subject,
      id,
      namespace,
      timeoutSeconds,
      before,
      nodes: followed.nodes,
      claims,
      instanceIds: () => instancesOf(seen),
      instanceStates: ports.instanceStates,
      drains: ports.drains,
      turns
    },
    step
  )
  return {
    nodePool: options.nodePool,
    ...counted,
    stages: { ...stages, podsRunning: Math.round((lastPod - since) / 1000) },
    nodeReadySeconds: stages.initialized ?? 0,
    scaledUpAt: since,
    ...down,
    took: turns.took,
    events: events.all
  }
}

/** Whether an object that Karpenter speaks of is the test's. */
function aboutTest(id: string, seen: ReadonlyMap<string, Manifest>): (kind: string, name: string) => boolean {
  const names = objectNames(id)
  const isPod = new RegExp(`^${names.deployment}-`)
  return (kind, name) =>
    (kind === 'Pod' && isPod.test(name)) ||
    (kind === 'NodePool' && name === names.nodePool) ||
    (kind === 'NodeClaim' && name.startsWith(`${names.nodePool}-`)) ||
    (kind === 'Node' && [...seen.values()].some((claim) => textField(claim, 'status', 'nodeName') === name))
}

function subjectOf({ nodePool }: SmokeTestOptions): string {
  return `smoke test of NodePool ${nodePool}`
}

function instancesOf(claims: ReadonlyMap<string, Manifest>): readonly string[] {
  const ids = [...claims.values()].map((claim) => instanceIdOf(claim, 'status', 'providerID'))
  return [...new Set(ids.filter((id) => id !== ''))]
}

/** The API server's refusal, as the smoke test's own error. */
async function create<T>(apply: () => Promise<T>, subject: string, step: Step): Promise<T> {
  step.waiting(undefined)
  try {
    return await apply()
  } catch (error) {
    if (
      !(error instanceof KubernetesError) ||
      (error.status !== 400 && error.status !== 422 && error.refusedBy === undefined)
    )
      throw error
    throw new UserError(
      subject,
      `the API server refuses its objects: ${error.message}`,
      error.refusedBy === undefined
        ? 'An admission policy or a field of the NodePool under test is in the way: correct it, or give smoke-test: false.'
        : `${error.fix} Or give smoke-test: false.`,
      { cause: error }
    )
  }
}

async function cleanUpAfter(kubernetes: Kubernetes, options: SmokeTestOptions, step: Step): Promise<void> {
  const subject = subjectOf(options)
  try {
    for (const line of await cleanUpTest(kubernetes, options.namespace, options.id))
      step.note(`${subject}: ${line}`)
  } catch (error) {
    // The test's own error matters more; the next run removes what is left.
    step.warning(`${subject}: its objects could not be removed: ${messageOf(error)}`)
  }
}
