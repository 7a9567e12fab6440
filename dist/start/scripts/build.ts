import { parseArgs } from 'node:util'
import { bundle } from './bundle.js'

const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } })
process.exitCode = await bundle(values.out)
