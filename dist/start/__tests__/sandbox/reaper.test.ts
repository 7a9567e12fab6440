import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startReaper } from '../../sandbox/reaper.js'

let folder: string
let sleeper: ChildProcess
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reaper-'))
  sleeper = spawn('sleep', ['60'])
})
afterEach(async () => {
  sleeper.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

it('ends the processes and removes the folder when its own process is killed', async () => {
  const script = join(folder, 'owner.mjs')
  const source = pathToFileURL(join(import.meta.dirname, '../../sandbox/reaper.ts')).href
  await writeFile(
    script,
    `import { startReaper } from ${JSON.stringify(source)}
     const reaper = startReaper(${JSON.stringify(folder)})
     reaper.watch(${sleeper.pid ?? 0}, new Promise(() => undefined))
     setInterval(() => undefined, 1000)
     console.log('up')`
  )
  const tsx = pathToFileURL(join(import.meta.dirname, '../../node_modules/tsx/dist/loader.mjs')).href
  const owner = spawn(process.execPath, ['--import', tsx, script])
  await once(owner.stdout, 'data')
  owner.kill('SIGKILL')
  await once(sleeper, 'exit')
  expect(sleeper.signalCode).toBe('SIGKILL')
  while (existsSync(folder)) {
    await new Promise((resolve) => setImmediate(resolve))
  }
})

it('leaves everything alone when it is stopped', async () => {
  const reaper = startReaper(folder)
  reaper.watch(sleeper.pid, new Promise(() => undefined))
  await reaper.stop()
  expect(sleeper.exitCode ?? sleeper.signalCode).toBeNull()
  expect(existsSync(folder)).toBe(true)
})
