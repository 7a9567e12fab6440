import { conditionsOf } from './conditions.js'
import { listField, textField } from './manifest.js'

/** Why an object that is being deleted is still there, by what it says itself. */
export interface Hold {
  /** Reads on from `Namespace karpenter to go`; empty where nothing says why. */
  readonly text: string
  /** What a person can do, where nothing that we know of ends it by itself. */
  readonly fix?: string
}

/** Milliseconds after its time is over that a pod may take to go. */
const lateness = 60_000

/** Its finalizers. Karpenter takes its own off when nodes are drained, which may take any time. */
export function heldByFinalizers(object: unknown): Hold {
  const finalizers = finalizersIn(object)
  const others = finalizers.filter((one) => !/^karpenter\.(sh|k8s\.aws)\//.test(one))
  return {
    text: finalizers.length === 0 ? '' : `, held by finalizer ${finalizers.join(', ')}`,
    ...(others.length > 0 && { fix: finalizerFix(object, others) })
  }
}

/**
 * What of its contents a namespace is waiting for: types of its conditions are True where something is in the way (k8s.io/
 * kubernetes, pkg/controller/namespace/deletion/status_condition_utils.go).
 */
export function heldNamespace(object: unknown): Hold {
  const name = nameOf(object)
  const own = finalizersIn(object)
  const wrong = conditionsOf(object).filter(
    ({ type, status }) => status === 'True' && /^Namespace(Deletion|Content|Finalizers)/.test(type)
  )
  const said = wrong.map(({ message, reason }) => message || reason).join('; ')
  const fix = wrong.some(({ type }) => /DiscoveryFailure|GroupVersionParsing/.test(type))
    ? 'An API that is registered does not answer: kubectl get apiservices, and delete the one that is not available, or bring its server back. Then run again.'
    : wrong.some(({ type }) => type === 'NamespaceFinalizersRemaining')
      ? `What is left in it waits for whoever set its finalizers: bring that controller back, or take them off (kubectl -n ${name} get with the kinds that are named, -o yaml). Then run again.`
      : wrong.some(({ type }) => type === 'NamespaceDeletionContentFailure')
        ? `Put right what the message names: kubectl get namespace ${name} -o yaml. Then run again.`
        : undefined
  return {
    text: `${own.length === 0 ? '' : `, held by finalizer ${own.join(', ')}`}${said === '' ? '' : `: ${said}`}`,
    ...(fix !== undefined && { fix })
  }
}

/** A CRD goes when the last object of its kind has gone (apiextensions-apiserver, pkg/controller/finalizer). */
export function heldCrd(object: unknown): Hold {
  const finalizers = finalizersIn(object)
  const terminating = conditionsOf(object).find(({ type }) => type === 'Terminating')
  const others = finalizers.filter((one) => one !== 'customresourcecleanup.apiextensions.k8s.io')
  const plural = textField(object, 'spec', 'names', 'plural') ?? ''
  const failed = terminating !== undefined && /Failed$|Error$/.test(terminating.reason)
  return {
    text: `${finalizers.length === 0 ? '' : `, held by finalizer ${finalizers.join(', ')}`}${terminating === undefined || terminating.message === '' ? '' : `: ${terminating.message}`}`,
    ...(others.length > 0
      ? { fix: finalizerFix(object, others) }
      : failed && { fix: `See what is left of its objects: kubectl get ${plural} -A. Then run again.` })
  }
}

/** A pod goes when its node's kubelet has ended it: not where the node is gone, or does not answer. */
export function heldPod(object: unknown, now: number): Hold {
  const until = Date.parse(textField(object, 'metadata', 'deletionTimestamp') ?? '')
  const node = textField(object, 'spec', 'nodeName') ?? ''
  const finalizers = heldByFinalizers(object)
  if (finalizers.text !== '') return finalizers
  if (Number.isNaN(until) || now < until + lateness) return { text: '' }
  const [name, namespace] = [nameOf(object), textField(object, 'metadata', 'namespace') ?? '']
  return {
    text: `, whose time to end is over, and node ${node} has not ended it`,
    fix: `See whether the node answers: kubectl describe node ${node}. Where it is gone for good: kubectl -n ${namespace} delete pod ${name} --force. Then run again.`
  }
}

function finalizersIn(object: unknown): readonly string[] {
  return listField(object, 'metadata', 'finalizers').filter((one) => typeof one === 'string')
}

function finalizerFix(object: unknown, finalizers: readonly string[]): string {
  const kind = (textField(object, 'kind') ?? 'object').toLowerCase()
  return `Bring back whoever works on ${finalizers.join(', ')}, or take it off (kubectl edit ${kind} ${nameOf(object)}). Then run again.`
}

function nameOf(object: unknown): string {
  return textField(object, 'metadata', 'name') ?? ''
}
