import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import type { Sandbox } from '../../sandbox/index.js'
import { record, text } from '../../sandbox/values.js'
import { type Killer, startKiller } from './kills.js'
import { drawn, lineOf, pointsOf, tryPoint } from './point.js'
import { type Scenario, scenariosOf, startTortured } from './scenarios.js'

const usage = `npm run torture -- [options]
  Kills the action at every write of an install, an upgrade, an uninstall, an adoption and a smoke test, before the write
  is sent on and after it is answered, and holds what follows to: the next run ends well, a check is clean, an uninstall
  leaves nothing, and nobody waits for the dead run's lock for more than 60 s. One line a point.
  --minutes N     ends after so many, when the point is done (60)
  --only NAMES    of install,upgrade,uninstall,smoke-test,adoption
  --seed N        the order of the points; printed, and drawn anew when absent
  --results FILE  what was tried and held is left out the next time (reports/torture.jsonl)`

/** A cluster, and what stands before it. */
interface Rack {
  readonly sandbox: Sandbox
  readonly killer: Killer
}

async function rack(scenario?: Scenario): Promise<Rack> {
  const sandbox = await startTortured(scenario)
  return { sandbox, killer: await startKiller(sandbox) }
}

async function takeDown({ sandbox, killer }: Rack): Promise<void> {
  await killer.stop()
  await sandbox.stop()
}

/** The writes of the run that is to be killed, seen in one that is not; the cluster is spent afterwards. */
async function writesOf(scenario: Scenario, { sandbox, killer }: Rack): Promise<readonly string[]> {
  await scenario.own?.make(sandbox)
  for (const inputs of scenario.before) await killer.run(inputs)
  const { result, writes } = await killer.run(scenario.killed)
  if (result.conclusion !== 'success') throw new Error(`${scenario.name}: ${result.log}`)
  return writes
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '60' },
      only: { type: 'string' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      results: { type: 'string', default: 'reports/torture.jsonl' },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) {
    console.log(usage)
    return
  }
  const until = Date.now() + Number(values.minutes) * 60_000
  const seed = Number(values.seed)
  const held = heldIn(values.results)
  mkdirSync(dirname(values.results), { recursive: true })
  console.log(`seed ${seed}, results in ${values.results}, ${held.size} points held before`)
  const chosen = values.only?.split(',')
  let failures = 0
  for (const name of namesOf(chosen)) {
    let on = await rack(scenarioOf(name))
    const scenario = scenarioOf(name, on.sandbox.controlPlane.endpoint)
    const writes = await writesOf(scenario, on)
    const points = drawn(pointsOf(writes), seed).filter((point) => !held.has(lineOf(scenario, point)))
    console.log(`${name}: ${writes.length} writes, ${points.length} points to try`)
    let fresh = false
    for (const point of points) {
      if (Date.now() > until) break
      if (!fresh || scenario.own !== undefined) {
        await takeDown(on)
        on = await rack(scenario)
        await scenario.own?.make(on.sandbox)
      }
      const now = scenarioOf(name, on.sandbox.controlPlane.endpoint)
      const line = lineOf(now, point)
      const startedAt = Date.now()
      const outcome = await tryPoint(on.sandbox, on.killer, now, point).catch((error: unknown) => error)
      const seconds = Math.round((Date.now() - startedAt) / 1000)
      fresh = !(outcome instanceof Error)
      if (outcome instanceof Error) {
        failures++
        console.log(`${line}  ${writes[point.write - 1] ?? ''}  FAILS: ${outcome.message}`)
      } else {
        appendFileSync(values.results, `${JSON.stringify({ point: line, ...record(outcome), seconds })}\n`)
        const { reached, write, lockWait } = record(outcome)
        const wait = typeof lockWait === 'number' ? `, ${Math.round(lockWait / 1000)} s for the lock` : ''
        console.log(
          `${line}  ${text(write) ?? ''}  ${reached === true ? 'holds' : 'not reached'}, ${seconds} s${wait}`
        )
      }
    }
    await takeDown(on)
    if (Date.now() > until) break
  }
  if (failures > 0) process.exitCode = 1
}

function namesOf(chosen: readonly string[] | undefined): readonly Scenario['name'][] {
  const all = scenariosOf('').map(({ name }) => name)
  return all.filter((name) => chosen?.includes(name) ?? true)
}

function scenarioOf(name: Scenario['name'], endpoint = ''): Scenario {
  const found = scenariosOf(endpoint).find((one) => one.name === name)
  if (found === undefined) throw new Error(`${name}: no such scenario`)
  return found
}

function heldIn(file: string): ReadonlySet<string> {
  if (!existsSync(file)) return new Set()
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  return new Set(lines.flatMap((line) => text(record(JSON.parse(line))['point']) ?? []))
}

await main()
