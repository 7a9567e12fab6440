import { changes, countAsWanted } from '../../src/engine/changes.js'
import { Graph } from '../../src/engine/graph.js'
import type { JsonMap } from '../../src/engine/json.js'
import type { Inspection, Live } from '../../src/engine/resource.js'
import { inspectAll } from '../../src/engine/walk.js'
import { fieldsResource } from './fake-resources.js'

const absent: Live<JsonMap> = { state: 'absent' }
const present = (value: JsonMap): Live<JsonMap> => ({ state: 'present', value })

/** `nothing`: of which nothing is there, and nothing is to be; it depends on `base`. */
async function inspected(base: Live<JsonMap>): Promise<ReadonlyMap<string, Inspection>> {
  const graph = new Graph([
    fieldsResource({ a: 1 }, base, { id: 'base' }),
    fieldsResource({ a: 1 }, present({ a: 1 }), { id: 'same', dependsOn: ['base'] }),
    fieldsResource({ a: 1 }, present({ a: 1 }), { id: 'also', dependsOn: ['base'] }),
    fieldsResource({}, absent, { id: 'nothing', dependsOn: ['base', 'same'] })
  ])
  return inspectAll(graph, new AbortController().signal)
}

it('there are changes when any resource is not as wanted, or the one that is asked about', async () => {
  const [alike, edited] = [await inspected(present({ a: 1 })), await inspected(present({ a: 2 }))]
  expect([changes(alike), changes(edited)]).toEqual([false, true])
  expect(['base', 'same', 'unknown'].map((id) => changes(edited, id))).toEqual([true, false, false])
})

it('counts what is as wanted, and what is rightly not there only where what it depends on is', async () => {
  expect(countAsWanted(await inspected(present({ a: 1 })))).toBe(4)
  expect(countAsWanted(await inspected(present({ a: 2 })))).toBe(3)
  expect(countAsWanted(await inspected(absent))).toBe(2)
})
