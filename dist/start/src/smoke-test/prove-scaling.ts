import { messageOf } from '../engine/errors.js'
import { sharedRead } from '../engine/once.js'
import type { Step } from '../engine/resource.js'
import type { Ownership } from '../aws/environment.js'
import type { SmokeTestInput } from '../inputs/inputs.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { ec2NodeClasses, nodePools } from '../kubernetes/kinds.js'
import { lean, notLooked } from '../kubernetes/lean.js'
import { cleanUp, cleanUpEarlier } from './clean-up.js'
import { RemovalView } from '../resources/removal/removal-view.js'
import { nodesBefore, otherNodes } from './counts.js'
import { FollowedObjects } from './followed-objects.js'
import { JointWaits } from './joint-waits.js'
import { chooseNodePools, isWindows, type NodePoolChoice } from './node-pools-under-test.js'
import { smokeTestId, testId } from './objects.js'
import type { InstanceGroups } from './network-proof.js'
import type { NodePoolResult } from './result.js'
import type { InstanceEnds, InstanceStates } from './instance-states.js'
import { runSmokeTest } from './run.js'
import { tooSlow } from './threshold.js'

export interface Proof {
  readonly test: SmokeTestInput
  /** Which NodePools, where `smoke-test-node-pools` names none. */
  readonly otherwise: NodePoolChoice
  /** Of the controller. */
  readonly namespace: string
  readonly kubernetes: Kubernetes
  readonly instanceStates: InstanceStates
  readonly instanceEnds: InstanceEnds
  readonly instanceGroups: InstanceGroups
  readonly ownership: Ownership
  /** Told after each NodePool of all that have passed so far, so that a run that fails or is cancelled reports them. */
  readonly tested: (results: readonly NodePoolResult[]) => void
}

/** NodePools whose nodes are there at once. */
const sideBySide = 10

/**
 * Proves the NodePools side by side, ten at a time, each by a test of its own whose nodes are told apart by their label; one
 * that fails does not keep the others from being tested. What had no room beside the others in a quota is proved once more
 * alone. Throws the only error, or all of them in an AggregateError, when all are done and what was made is removed.
 */
export async function proveScaling(proof: Proof, step: Step): Promise<void> {
  const { test, namespace, ownership } = proof
  const kubernetes = proof.kubernetes.within(step.signal)
  const run = smokeTestId(ownership.run)
  for (const title of await cleanUpEarlier(kubernetes, run))
    step.note(`removed ${title}, left by an earlier smoke test`)
  // A retry of the same run starts from nothing as well.
  await cleanUp(kubernetes, namespace, run)
  const [pools, classes] = await Promise.all([
    kubernetes.pick(nodePools, lean, notLooked),
    kubernetes.pick(ec2NodeClasses, (one) => (isWindows(one) ? one.metadata.name : undefined), notLooked)
  ])
  const chosen = chooseNodePools(
    test.nodePools.length > 0 ? { kind: 'named', names: test.nodePools } : proof.otherwise,
    pools.items,
    new Set(classes.items.filter((name) => name !== undefined))
  )
  for (const warning of chosen.warnings) step.warning(warning)
  const { names } = chosen
  const { instanceStates, instanceEnds, instanceGroups } = proof
  const ports = {
    kubernetes,
    before: await nodesBefore(kubernetes),
    // Tests that go on side by side come to it at the same time.
    otherNodes: sharedRead(async () => otherNodes(kubernetes)),
    instanceStates,
    instanceEnds,
    instanceGroups,
    drains: new RemovalView(kubernetes),
    followed: new FollowedObjects(kubernetes, namespace, step.signal),
    ownership
  }
  const results = new Map<string, NodePoolResult>()
  const failures = new Map<string, unknown>()
  const waits = new JointWaits(step)
  const prove = async (nodePool: string, index: number): Promise<void> => {
    const options = { ...test, run, id: testId(run, index), nodePool, namespace }
    try {
      results.set(nodePool, await runSmokeTest(options, ports, waits.of(nodePool)))
      failures.delete(nodePool)
    } catch (error) {
      if (step.signal.aborted) throw error
      failures.set(nodePool, error)
      return
    }
    proof.tested(inOrder(names, results))
  }
  try {
    await eachSideBySide(names, prove)
    const alone = [...failures].filter(([, error]) => names.length > 1 && lackedRoom(error))
    for (const [index, [nodePool]] of alone.entries()) {
      step.note(`smoke test of NodePool ${nodePool}: a quota had no room beside the others; once more, alone`)
      await prove(nodePool, names.length + index)
    }
  } finally {
    await ports.followed.close()
  }
  const { nodeReadyThresholdSeconds: threshold } = test
  const errors = inOrder(names, failures)
  if (threshold !== undefined)
    errors.push(...inOrder(names, results).flatMap((result) => tooSlow(result, threshold) ?? []))
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} NodePools are not proved`)
}

function inOrder<T>(names: readonly string[], of: ReadonlyMap<string, T>): T[] {
  return names.flatMap((name) => {
    const one = of.get(name)
    return one === undefined ? [] : [one]
  })
}

/** Rejects when all are over, with the first that rejected. */
async function eachSideBySide(
  names: readonly string[],
  prove: (name: string, index: number) => Promise<void>
): Promise<void> {
  const left = names.entries()
  const lanes = Array.from({ length: Math.min(sideBySide, names.length) }, async () => {
    for (const [index, name] of left) await prove(name, index)
  })
  const ended = await Promise.allSettled(lanes)
  for (const one of ended) if (one.status === 'rejected') throw one.reason
}

/** By the codes of EC2's CreateFleet, and the words of a ResourceQuota. */
function lackedRoom(error: unknown): boolean {
  return /VcpuLimitExceeded|MaxSpotInstanceCountExceeded|exceeded quota/.test(messageOf(error))
}
