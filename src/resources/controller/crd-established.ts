import { UserError } from '../../engine/errors.js'
import type { Step } from '../../engine/resource.js'
import { awaitObject, conditionOf, describe } from '../../kubernetes/conditions.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { customResourceDefinitions } from '../../kubernetes/kinds.js'
import { textField } from '../../kubernetes/manifest.js'
import { decided } from '../../kubernetes/view.js'
import { namesTaken } from './crd-health.js'

/** Milliseconds in which another CRD of the same names may still go, and in which the server establishes one. */
const patience = 60_000

/**
 * Waits until the API server serves a CRD. Rejects with UserError where it cannot: the names are another CRD's
 * (apiextensions-apiserver, pkg/controller/status), it is being deleted, or nothing is said of it for a minute.
 */
export async function awaitEstablished(kubernetes: Kubernetes, name: string, step: Step): Promise<void> {
  const since = step.now()
  await awaitObject(kubernetes, customResourceDefinitions, { name }, step.signal, (object) => {
    const established = conditionOf(object, 'Established')
    if (established?.status === 'True') return decided(undefined)
    const accepted = conditionOf(object, 'NamesAccepted')
    const wrong = accepted?.status === 'False' ? accepted : established
    const said = wrong === undefined ? 'Established' : describe(wrong)
    if (step.now() - since >= patience) {
      const going = textField(object, 'metadata', 'deletionTimestamp') !== undefined
      throw new UserError(
        `CRD ${name}`,
        going ? 'is being deleted' : `is not served a minute after it was written: ${said}`,
        accepted?.status === 'False'
          ? namesTaken
          : `Look at it: kubectl get crd ${name} -o yaml; then run again.`
      )
    }
    step.waiting(`CRD ${name}: ${said}`)
    return undefined
  })
}
