import { fileURLToPath } from 'node:url'
import { figureLine, type Figure, isWithin } from './figure.js'
import { firstCall } from './first-call.js'
import { installTwice, slowInstall } from './installs.js'
import { checkManyNodes } from './many-nodes.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const progress = (line: string): void => console.error(line)
const figures: Figure[] = []

function show(...measured: readonly Figure[]): void {
  for (const figure of measured) console.log(figureLine(figure))
  figures.push(...measured)
}

show(await firstCall(root))
show(...(await installTwice(progress)))
show(...(await slowInstall(progress)))
show(...(await checkManyNodes(progress)))

const within = figures.filter(isWithin).length
console.log(`${within} of ${figures.length} figures are within their limits.`)
process.exitCode = within === figures.length ? 0 : 1
