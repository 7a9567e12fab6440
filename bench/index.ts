import { fileURLToPath } from 'node:url'
import { bigCluster } from './big-cluster.js'
import { figureLine, type Figure, isWithin } from './figure.js'
import { firstCall } from './first-call.js'
import { callsInARow, installTwice, slowInstall, slowStack } from './installs.js'
import { checkManyNodes } from './many-nodes.js'
import { removeNodes } from './removal.js'
import { versusGuide } from './versus/index.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const progress = (line: string): void => console.error(line)
const figures: Figure[] = []

function show(...measured: readonly Figure[]): void {
  for (const figure of measured) console.log(figureLine(figure))
  figures.push(...measured)
}

/** By the word that asks for it alone: `npm run bench -- big`. */
const parts: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  start: async () => [await firstCall(root)],
  installs: async () => installTwice(progress),
  slow: async () => [...(await slowInstall(progress)), ...(await callsInARow(progress))],
  stack: async () => slowStack(progress),
  nodes: async () => checkManyNodes(progress),
  big: async () => bigCluster(progress),
  removal: async () => removeNodes(progress),
  versus: async () => versusGuide(progress)
}
/** Has programs of others to build that nothing else needs. */
const byNameAlone = new Set(['versus'])
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in parts))
if (unknown.length > 0)
  throw new Error(`bench: ${unknown.join(', ')}: there are ${Object.keys(parts).join(', ')}`)

for (const [name, part] of Object.entries(parts))
  if (asked.length === 0 ? !byNameAlone.has(name) : asked.includes(name)) show(...(await part()))

const within = figures.filter(isWithin).length
console.log(`${within} of ${figures.length} figures are within their limits.`)
process.exitCode = within === figures.length ? 0 : 1
