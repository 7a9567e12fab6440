/**
 * Does `work` for every id as soon as all that it depends on is done, as many at a time as the dependencies allow.
 * Work that answers false is a failure: what depends on it is left out.
 */
export async function walk(
  ids: readonly string[],
  dependencies: (id: string) => readonly string[],
  work: (id: string) => Promise<boolean>
): Promise<void> {
  const started = new Map<string, Promise<boolean>>()
  const run = (id: string): Promise<boolean> => {
    const running = started.get(id)
    if (running !== undefined) return running
    const outcome = Promise.all(
      dependencies(id)
        .filter((other) => ids.includes(other))
        .map(run)
    ).then((done) => done.every(Boolean) && work(id))
    started.set(id, outcome)
    return outcome
  }
  await Promise.all(ids.map(run))
}

/** The same dependencies, seen from the other end: what must go before `id` can go. */
export function reversed(
  ids: readonly string[],
  dependencies: (id: string) => readonly string[]
): (id: string) => readonly string[] {
  return (id) => ids.filter((other) => dependencies(other).includes(id))
}
