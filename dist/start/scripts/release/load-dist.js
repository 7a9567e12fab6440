// Loads each chunk of dist/ as the action does when it needs it; plain JavaScript, so that it runs where nothing is installed.
import { readdirSync } from 'node:fs'

const dist = new URL('../../dist/', import.meta.url)
const chunks = readdirSync(dist).filter((name) => /^\d+\.index\.js$/.test(name))
if (chunks.length === 0) throw new Error('dist/ has no chunk')
for (const name of chunks) await import(new URL(name, dist).href)
console.log(`${chunks.length} chunks were loaded`)
