import type { Decisions } from './decisions.js'
import type { Discovery } from './discovery.js'
import { UserError } from './engine/errors.js'
import type { Step } from './engine/resource.js'
import { unknownValues } from './helm/values.js'
import type { Inputs } from './inputs.js'
import { discoveryTagConflicts } from './resources/discovery-tags.js'
import { refusals } from './resources/dry-run.js'

export interface Checked {
  readonly inputs: Inputs
  readonly found: Discovery
  readonly decisions: Decisions
}

/** Everything that can be known to be wrong before the first write, in one error. */
export async function preflight(checked: Checked, step: Step): Promise<void> {
  const { inputs, found, decisions } = checked
  const conflicts = [
    discoveryTagConflicts('subnets', inputs.clusterName, found.subnets),
    discoveryTagConflicts('security-groups', inputs.clusterName, found.securityGroups)
  ].filter((conflict) => conflict !== undefined)
  const values = unknownValues(inputs.helmValues, decisions.chart.values).map(
    (problem) =>
      new UserError(
        'helm-values',
        `${problem.path}: ${problem.problem}`,
        'Correct helm-values and run again.'
      )
  )
  const refused = (await refusals(found.kubernetes, [...decisions.nodeClasses, ...decisions.nodePools])).map(
    (refusal) =>
      new UserError(
        'node-pools',
        `${refusal.title}: ${refusal.message}`,
        'Correct the manifest and run again.'
      )
  )
  const errors = [...conflicts, ...values, ...refused]
  step.note(`${errors.length} problems`)
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} problems`)
}
