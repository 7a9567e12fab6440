import fc from 'fast-check'
import { hostileInputs, tryInputs } from '../__tests__/inputs/hostile.js'

/** Each set of inputs is answered within these. */
const mostMilliseconds = 1_000
const mostMegabytes = 200

const runs = Number(process.argv[2] ?? 10_000)
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000)
console.log(`${runs} sets of inputs, seed ${seed}`)

const counts = { taken: 0, refused: 0 }
const slow: string[] = []
const base = process.memoryUsage().rss
let longest = 0
fc.assert(
  fc.property(hostileInputs, (given) => {
    const started = performance.now()
    counts[tryInputs(given)] += 1
    const took = performance.now() - started
    longest = Math.max(longest, took)
    if (took > mostMilliseconds) slow.push(Object.keys(given).join(', '))
  }),
  { numRuns: runs, seed }
)
// Sets follow on each other in one process: what they take together bounds what one takes.
const megabytes = Math.round((process.memoryUsage().rss - base) / 1e6)
console.log(
  `${counts.taken} taken, ${counts.refused} refused; the slowest took ${Math.round(longest)} ms, memory grew by ${megabytes} MB`
)
for (const names of slow) console.log(`over ${mostMilliseconds} ms: ${names}`)
if (slow.length > 0 || megabytes > mostMegabytes) process.exitCode = 1
