import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

// Preloaded into the action's process: writes the URL of every file that Node loads as a module.
const file = process.env['BENCH_LOADS']
if (file !== undefined) {
  registerHooks({
    load(url, context, nextLoad) {
      if (url.startsWith('file:')) appendFileSync(file, `${url}\n`)
      return nextLoad(url, context)
    }
  })
}
