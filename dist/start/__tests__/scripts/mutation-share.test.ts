import { seeded } from '../../sandbox/control-plane/api-faults.js'
import { declarationsOf, drawnRanges } from '../../scripts/mutation-share.js'

const text = `import { a } from './a.js'
export type { B } from './b.js'

interface C {
  readonly d: string
}
type E = C

/** Said of it. */
export const most = 5

export class F {
  readonly #g = 1

  h(): number {
    return this.#g
  }
}

function i(): void {
  a()
}
`

it('finds functions, members of classes and constants, and nothing of types alone', () => {
  expect(declarationsOf('src/f.ts', text)).toEqual([
    { first: 10, last: 10 },
    { first: 13, last: 13 },
    { first: 15, last: 17 },
    { first: 20, last: 22 }
  ])
})

it('draws the same by a seed, all of them for a whole share, and none for none', () => {
  const sources = Array.from({ length: 50 }, (_, index) => ({ path: `src/${index}.ts`, text }))
  const drawn = drawnRanges(sources, 0.2, seeded(7))
  expect(drawn).toEqual(drawnRanges(sources, 0.2, seeded(7)))
  expect(drawn).not.toEqual(drawnRanges(sources, 0.2, seeded(8)))
  expect(drawn.length).toBeGreaterThan(20)
  expect(drawn.length).toBeLessThan(60)
  expect(drawnRanges(sources.slice(0, 1), 1, seeded(7))).toEqual([
    'src/0.ts:10-10',
    'src/0.ts:13-13',
    'src/0.ts:15-17',
    'src/0.ts:20-22'
  ])
  expect(drawnRanges(sources, 0, seeded(7))).toEqual([])
})
