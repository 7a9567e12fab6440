import { isMap } from '../engine/json.js'

/**
 * What main leaves for post: enough to reach the cluster again and find the smoke test's objects and the lock of this
 * run. Nothing secret: post assumes the role anew. Saved before the first object is written.
 */
export interface PostState {
  readonly clusterName: string
  readonly region: string
  readonly namespace: string
  /** Value of the label on everything that the smoke test of this run made; undefined before it starts. */
  readonly smokeTestRun: string | undefined
  /** By which the lock was asked for. */
  readonly lockHolder: string
}

const key = 'cleanup'

/** `@actions/core` has these. */
export interface StateStore {
  saveState(name: string, value: unknown): void
  getState(name: string): string
}

export function saveCleanup(store: StateStore, state: PostState): void {
  store.saveState(key, JSON.stringify(state))
}

/** Main is over and cleaned up behind itself: post has nothing to do. */
export function clearCleanup(store: StateStore): void {
  store.saveState(key, '')
}

export function readCleanup(store: StateStore): PostState | undefined {
  const text = store.getState(key)
  if (text === '') return undefined
  const value: unknown = JSON.parse(text)
  if (!isMap(value)) return undefined
  const { clusterName, region, namespace, smokeTestRun, lockHolder } = value
  if (
    typeof clusterName !== 'string' ||
    typeof region !== 'string' ||
    typeof namespace !== 'string' ||
    typeof lockHolder !== 'string'
  )
    return undefined
  return {
    clusterName,
    region,
    namespace,
    smokeTestRun: typeof smokeTestRun === 'string' ? smokeTestRun : undefined,
    lockHolder
  }
}
