import { UserError } from '../engine/errors.js'
import { awaitObject, conditionOf, describe, failing, holds } from '../kubernetes/conditions.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { nodePools } from '../kubernetes/kinds.js'
import type { Manifest } from '../kubernetes/manifest.js'
import { decided } from '../kubernetes/view.js'
import type { Step } from '../engine/resource.js'

/** Milliseconds for a condition that turns False for a moment, as while Karpenter starts. */
const patience = 30_000

/** The NodePool under test, once it is Ready: one that is not makes no nodes, nor would a copy of it. */
export async function readyNodePool(kubernetes: Kubernetes, name: string, step: Step): Promise<Manifest> {
  const startedAt = step.now()
  try {
    return await awaitObject(kubernetes, nodePools, { name }, step.signal, (pool) => {
      if (pool === undefined)
        throw new UserError(`NodePool ${name}`, 'does not exist any more', 'Run again with those that do.')
      if (holds(pool, 'Ready')) return decided(pool)
      if (step.now() - startedAt >= patience) throw notReady(pool)
      const wrong = failing(pool)[0]
      step.waiting(`NodePool ${name} to be Ready${wrong === undefined ? '' : `: ${describe(wrong)}`}`)
      return undefined
    })
  } finally {
    step.waiting(undefined)
  }
}

function notReady(pool: Manifest): UserError {
  const condition = failing(pool)[0] ?? conditionOf(pool, 'Ready')
  return new UserError(
    `NodePool ${pool.metadata.name}`,
    condition === undefined
      ? 'has no Ready condition: Karpenter has not looked at it'
      : `is not Ready, so there is nothing to prove: ${describe(condition)}`,
    condition === undefined
      ? 'See whether the controller runs: mode check says it.'
      : 'Correct the NodePool or its EC2NodeClass.',
    { state: 'No node was asked for.' }
  )
}
