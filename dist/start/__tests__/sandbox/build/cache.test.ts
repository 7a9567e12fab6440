import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cacheFolder, contentHash, fillOnce, isBuilt } from '../../../sandbox/build/cache.js'
import { withLock } from '../../../sandbox/build/lock.js'

describe('the cache of what is built', () => {
  let base: string
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'cache-'))
  })
  afterEach(() => rm(base, { recursive: true, force: true }))

  it('is filled once by two who start at the same time, and the second waits for the first', async () => {
    const folder = join(base, 'part')
    let builds = 0
    let waits = 0
    const build = async (into: string) => {
      builds += 1
      await writeFile(join(into, 'program'), 'built')
    }
    await Promise.all([1, 2].map(() => fillOnce(folder, () => (waits += 1), build)))
    expect({ builds, waits }).toEqual({ builds: 1, waits: 1 })
    expect(await readFile(join(folder, 'program'), 'utf8')).toBe('built')
  })

  it('takes nothing from a build that broke off', async () => {
    const folder = join(base, 'part')
    const failing = fillOnce(
      folder,
      () => undefined,
      async (into) => {
        await writeFile(join(into, 'half'), '')
        throw new Error('disk full')
      }
    )
    await expect(failing).rejects.toThrow('disk full')
    expect(isBuilt(folder)).toBe(false)
    await fillOnce(
      folder,
      () => undefined,
      async () => undefined
    )
    expect(isBuilt(folder)).toBe(true)
    expect(existsSync(join(folder, 'half'))).toBe(false)
  })

  it('has a key that changes with contents and with facts', async () => {
    const file = join(base, 'go.mod')
    await writeFile(file, 'module a')
    const first = await contentHash([file], ['go1.26.8'])
    expect(await contentHash([file], ['go1.26.8'])).toBe(first)
    expect(await contentHash([file], ['go1.26.9'])).not.toBe(first)
    await writeFile(file, 'module b')
    expect(await contentHash([file], ['go1.26.8'])).not.toBe(first)
  })

  it('lies where XDG_CACHE_HOME says', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/var/cache' })).toBe('/var/cache/setup-karpenter')
    expect(cacheFolder({})).toMatch(/\/\.cache\/setup-karpenter$/)
  })
})

describe('the lock', () => {
  it('dies with its owner', async () => {
    const name = `lock-${process.pid}`
    let release = (): void => undefined
    const held = withLock(
      name,
      () => undefined,
      () => new Promise<void>((resolve) => (release = resolve))
    )
    // A second process waits for the lock, gets it, and is killed while it has it.
    const script = `
      import { withLock } from ${JSON.stringify(join(process.cwd(), 'sandbox/build/lock.ts'))}
      void withLock(${JSON.stringify(name)}, () => console.log('waits'), () => {
        console.log('owns')
        return new Promise(resolve => setTimeout(resolve, 60_000))
      })`
    const other = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
    let said = ''
    const saying = (word: string) =>
      new Promise<void>((resolve) => {
        other.stdout.on('data', (chunk: Buffer) => {
          said += chunk.toString()
          if (said.includes(word)) resolve()
        })
      })
    const waits = saying('waits')
    const owns = saying('owns')
    await waits
    release()
    await held
    await owns
    const third = withLock(
      name,
      () => other.kill('SIGKILL'),
      async () => 'mine'
    )
    const [result] = await Promise.all([third, once(other, 'exit')])
    expect(result).toBe('mine')
  })
})
