import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Sandbox } from '../sandbox/index.js'
import { succeeded } from './scenario.js'
import { type Killer, startKiller } from './torture/kills.js'
import { drawn, lineOf, pointsOf, tryPoint } from './torture/point.js'
import { type Scenario, scenariosOf, startTortured } from './torture/scenarios.js'

/** What `npm run torture` does at every point, at as many as fit into three minutes, drawn anew each time. */
const most = 180_000

let sandbox: Sandbox
let killer: Killer
let scenarios: readonly Scenario[]

beforeAll(async () => {
  sandbox = await startTortured()
  killer = await startKiller(sandbox)
  scenarios = scenariosOf(sandbox.controlPlane.endpoint)
})
afterAll(async () => {
  await killer.stop()
  await sandbox.stop()
})

function scenario(name: Scenario['name']): Scenario {
  const found = scenarios.find((one) => one.name === name)
  if (found === undefined) throw new Error(`${name}: no such scenario`)
  return found
}

test('a run that dies at a write harms nothing: points drawn by a seed', async () => {
  const seed = Number(process.env['TORTURE_SEED'] ?? Date.now() % 100_000)
  const startedAt = Date.now()
  console.log(`TORTURE_SEED=${seed}`)
  const [install, uninstall] = [scenario('install'), scenario('uninstall')]
  const installed = await killer.run(install.killed)
  const removed = await killer.run(uninstall.killed)
  for (const { result, writes } of [installed, removed]) {
    succeeded(result)
    expect(writes.length).toBeGreaterThan(20)
  }
  const all = [
    ...pointsOf(installed.writes).map((point) => ({ scenario: install, point })),
    ...pointsOf(removed.writes).map((point) => ({ scenario: uninstall, point }))
  ]
  const tried: string[] = []
  let longest = 0
  for (const { scenario: one, point } of drawn(all, seed)) {
    const begun = Date.now()
    if (tried.length > 0 && begun + longest > startedAt + most) break
    const { write } = await tryPoint(sandbox, killer, one, point).catch((error: unknown) => {
      throw new Error(`TORTURE_SEED=${seed}: ${lineOf(one, point)}`, { cause: error })
    })
    longest = Math.max(longest, Date.now() - begun)
    tried.push(`${lineOf(one, point)}: ${write}`)
  }
  console.log(`of ${all.length} points: ${tried.join('; ')}`)
  expect(tried.length).toBeGreaterThan(0)
})
