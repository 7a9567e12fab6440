import type { Decisions } from '../decisions.js'
import type { Discovery } from '../discovery.js'
import { UserError } from '../engine/errors.js'
import type { Step } from '../engine/resource.js'
import type { Ownership } from '../environment.js'
import type { Inputs, SmokeTestInput } from '../inputs.js'
import { nodePools } from '../kubernetes/kinds.js'
import { instanceStates } from '../aws/instance-states.js'
import { smokeTestId } from './objects.js'
import type { SmokeTestResult } from './result.js'
import { runSmokeTest } from './run.js'

export interface Proof {
  readonly test: SmokeTestInput
  readonly inputs: Inputs
  readonly found: Discovery
  readonly decisions: Decisions
  readonly ownership: Ownership
}

/** Runs the smoke test on the first NodePool of the installation. */
export async function proveScaling(proof: Proof, step: Step): Promise<SmokeTestResult> {
  const { test, inputs, found, ownership } = proof
  return runSmokeTest(
    {
      id: smokeTestId(ownership.run),
      nodePool: await nodePoolUnderTest(proof),
      namespace: inputs.namespace,
      ...test
    },
    { kubernetes: found.kubernetes, instanceStates: instanceStates(found.aws), ownership },
    step
  )
}

/** With `node-pools: none` it is the cluster's own. */
async function nodePoolUnderTest({ decisions, found }: Proof): Promise<string> {
  const own = decisions.nodePools[0]?.metadata.name
  if (own !== undefined) return own
  const there = await found.kubernetes.list(nodePools)
  const name = there.items[0]?.metadata.name
  if (name !== undefined) return name
  throw new UserError(
    'smoke-test',
    'the cluster has no NodePool, and node-pools is none, so nothing can make nodes',
    'Pass `node-pools`, or `smoke-test: false`.'
  )
}
