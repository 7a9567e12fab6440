import { nodePools } from '../../../src/kubernetes/kinds.js'
import type { Manifest } from '../../../src/kubernetes/manifest.js'
import type { AwaitByName } from '../../../src/kubernetes/waits-together.js'
import { awaitReady } from '../../../src/resources/nodes/ready.js'
import { recordedStep } from '../step.js'

/** Ready as of the generation that its controller has observed. */
function pool(generation: number, observedGeneration = generation, uid = 'a'): Manifest {
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name: 'default', uid, generation },
    status: { conditions: [{ type: 'Ready', status: 'True', observedGeneration }] }
  }
}

/** Shows one after another until there is an answer; how many were looked at. */
function showing(...shown: readonly (Manifest | undefined)[]) {
  const seen = { count: 0 }
  const byName: AwaitByName = async (_name, _signal, decide) => {
    for (const object of shown) {
      seen.count++
      const decision = decide(object)
      if (decision !== undefined) return decision.value
    }
    throw new Error('no answer')
  }
  return { byName, seen }
}

const awaited = (known: Manifest | undefined) => ({
  kind: nodePools,
  name: 'default',
  known,
  fix: () => 'fix'
})

test('one that is known to be Ready is not looked at again', async () => {
  const { byName, seen } = showing()
  expect(await awaitReady(byName, awaited(pool(1)), recordedStep())).toEqual(pool(1))
  expect(seen.count).toBe(0)
})

test('one that was written is not believed Ready as it was before that', async () => {
  const { byName, seen } = showing(pool(1), pool(2, 1), pool(2))
  expect(await awaitReady(byName, awaited(pool(2, 1)), recordedStep())).toEqual(pool(2))
  expect(seen.count).toBe(3)
})

test('one that was made anew meanwhile begins with its first generation again', async () => {
  const { byName } = showing(undefined, pool(1, 1, 'b'))
  expect(await awaitReady(byName, awaited(pool(2, 1)), recordedStep())).toEqual(pool(1, 1, 'b'))
})
