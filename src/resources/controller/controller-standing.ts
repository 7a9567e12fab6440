import type { Deployment } from 'kubernetes-types/apps/v1.js'

/** Whether anybody works on Karpenter's finalizers. */
export type Standing =
  | { readonly state: 'running' }
  /** There, and no replica of it is ready: it starts, or crashes. */
  | { readonly state: 'not ready'; readonly text: string }
  | { readonly state: 'gone'; readonly text: string }

/** By the Deployments of Karpenter that the cluster has, in whatever namespace. */
export function standingOf(controllers: readonly Deployment[]): Standing {
  const first = controllers[0]
  if (first === undefined) return { state: 'gone', text: 'no Karpenter controller is in the cluster' }
  if (controllers.some((one) => (one.status?.readyReplicas ?? 0) > 0)) return { state: 'running' }
  const started = controllers.find((one) => (one.spec?.replicas ?? 1) > 0)
  if (started === undefined) return { state: 'gone', text: `Deployment ${nameOf(first)} is scaled to 0` }
  return {
    state: 'not ready',
    text: `no replica of Deployment ${nameOf(started)} is ready (0 of ${started.spec?.replicas ?? 1})`
  }
}

function nameOf({ metadata }: Deployment): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`
}
