import type { Step } from '../engine/resource.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { isKubernetesError } from '../kubernetes/errors.js'
import { ec2NodeClasses } from '../kubernetes/kinds.js'

/**
 * Makes Karpenter try again at once what it could not do for an EC2NodeClass. By itself it pauses after each failure, longer
 * every time; any change of the object ends the pause (1.2 to 1.14), so an annotation is changed. One that has gone in the
 * meantime is no error.
 */
export async function lookAgain(kubernetes: Kubernetes, name: string, step: Step): Promise<void> {
  const annotations = { 'setup-karpenter/rechecked': new Date(step.now()).toISOString() }
  try {
    await kubernetes.patch(ec2NodeClasses, { name }, { type: 'merge', value: { metadata: { annotations } } })
  } catch (error) {
    if (!isKubernetesError(error, 404)) throw error
  }
}
