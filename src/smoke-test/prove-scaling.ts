import type { Step } from '../engine/resource.js'
import type { Ownership } from '../aws/environment.js'
import type { SmokeTestInput } from '../inputs/inputs.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { ec2NodeClasses, nodePools } from '../kubernetes/kinds.js'
import { cleanUp, cleanUpEarlier } from './clean-up.js'
import { chooseNodePools, type NodePoolChoice, windowsClasses } from './node-pools-under-test.js'
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

/**
 * Proves one NodePool after another, each by a test of its own; one that fails does not keep the others from being
 * tested. Throws the only error, or all of them in an AggregateError, when all are done and what was made is removed.
 */
export async function proveScaling(proof: Proof, step: Step): Promise<void> {
  const { test, namespace, ownership } = proof
  const kubernetes = proof.kubernetes.within(step.signal)
  const run = smokeTestId(ownership.run)
  for (const title of await cleanUpEarlier(kubernetes, run))
    step.note(`removed ${title}, left by an earlier smoke test`)
  // A retry of the same run starts from nothing as well.
  await cleanUp(kubernetes, namespace, run)
  const [pools, classes] = await Promise.all([kubernetes.list(nodePools), kubernetes.list(ec2NodeClasses)])
  const chosen = chooseNodePools(
    test.nodePools.length > 0 ? { kind: 'named', names: test.nodePools } : proof.otherwise,
    pools.items,
    windowsClasses(classes.items)
  )
  for (const warning of chosen.warnings) step.warning(warning)
  const { instanceStates, instanceEnds, instanceGroups } = proof
  const ports = { kubernetes, instanceStates, instanceEnds, instanceGroups, ownership }
  const results: NodePoolResult[] = []
  const errors: unknown[] = []
  for (const [index, nodePool] of chosen.names.entries()) {
    try {
      results.push(
        await runSmokeTest({ ...test, run, id: testId(run, index), nodePool, namespace }, ports, step)
      )
      proof.tested([...results])
    } catch (error) {
      if (step.signal.aborted) throw error
      errors.push(error)
    }
  }
  const { nodeReadyThresholdSeconds: threshold } = test
  if (threshold !== undefined) errors.push(...results.flatMap((result) => tooSlow(result, threshold) ?? []))
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} NodePools are not proved`)
}
