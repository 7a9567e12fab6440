/**
 * One read for all who ask while its answer is under way: several resources of one service then cost one request. Who
 * asks later, after a change, gets a new answer.
 */
export function sharedRead<T>(read: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined
  return async () =>
    (underWay ??= read().finally(() => {
      underWay = undefined
    }))
}
