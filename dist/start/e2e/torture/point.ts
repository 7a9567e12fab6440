import type { ActionResult, Sandbox } from '../../sandbox/index.js'
import { seeded } from '../../sandbox/control-plane/api-faults.js'
import { everything } from '../standing.js'
import { compared, withoutSpotRole } from '../removal.js'
import { until } from '../scenario.js'
import type { Killer, Point } from './kills.js'
import { type Scenario, uninstall } from './scenarios.js'

/** How long the next run may wait for the lock of the dead one. */
const mostLockWait = 60_000

export interface Tried {
  readonly reached: boolean
  /** The write at which it was killed. */
  readonly write: string
  /** Milliseconds. */
  readonly lockWait: number | undefined
}

/**
 * Kills the scenario's run at the point and goes on as a user would: the next run ends well, a check is clean, an
 * uninstall leaves nothing. Throws Error with what did not hold and the log of the run in which it did not.
 */
export async function tryPoint(
  sandbox: Sandbox,
  killer: Killer,
  scenario: Scenario,
  point: Point
): Promise<Tried> {
  const before = await standing(sandbox)
  for (const inputs of scenario.before) ended((await killer.run(inputs)).result, 'the run before')
  const { reached, writes } = await killer.killedAt(point, scenario.killed)
  const write = writes[point.write - 1] ?? ''
  const next = await killer.run(scenario.next)
  ended(next.result, 'the next run')
  if ((next.lockWait ?? 0) > mostLockWait)
    throw new Error(`the next run waited ${next.lockWait ?? 0} ms for the lock\n${next.result.log}`)
  await compared(sandbox, next.result)
  if (scenario.check !== undefined) clean((await killer.run({ ...scenario.check, mode: 'check' })).result)
  if (scenario.name !== 'uninstall') {
    const { 'helm-values': values } = scenario.next
    const removal = await killer.run({ ...uninstall, ...(values !== undefined && { 'helm-values': values }) })
    ended(removal.result, 'the uninstall')
    // Of what was adopted much stays, and all that stays is said.
    await compared(sandbox, removal.result)
    if (removal.result.outputs['leftovers'] !== '[]')
      throw new Error(`leftovers: ${removal.result.outputs['leftovers'] ?? ''}`)
  }
  if (scenario.own === undefined) {
    // Instances that have ended show a moment longer.
    let left: readonly string[] = []
    await until('nothing to be left', async () => {
      const after = await standing(sandbox)
      left = after.filter((name) => !before.includes(name))
      return left.length === 0 ? true : undefined
    }).catch(() => {
      throw new Error(`left: ${left.join(', ')}`)
    })
  }
  return { reached, write, lockWait: next.lockWait }
}

async function standing(sandbox: Sandbox): Promise<readonly string[]> {
  return withoutSpotRole(await everything(sandbox))
}

function ended(result: ActionResult, what: string): void {
  if (result.conclusion === 'success') return
  throw new Error(`${what}: ${result.conclusion}\n${result.log}`)
}

function clean(result: ActionResult): void {
  const { drift, unhealthy, pending, unknown } = result.outputs
  const counts = { drift, unhealthy, pending, unknown }
  if (result.conclusion === 'success' && Object.values(counts).every((count) => count === '0')) return
  throw new Error(`the check: ${JSON.stringify(counts)}\n${result.log}`)
}

/** Both moments of every write; of those with helm, once more with helm left alone. */
export function pointsOf(writes: readonly string[]): readonly Point[] {
  return writes.flatMap((name, index) => {
    const write = index + 1
    const byHelm = /\/secrets|\/deployments|\/serviceaccounts|\/services|\/poddisruptionbudgets|rbac/.test(
      name
    )
    const lost: readonly Point['lost'][] = byHelm ? ['whole', 'alone'] : ['whole']
    return lost.flatMap((how) =>
      (['before', 'after'] as const).map((moment): Point => ({ write, moment, lost: how }))
    )
  })
}

/** In an order that follows from the seed. */
export function drawn<T>(all: readonly T[], seed: number): readonly T[] {
  const random = seeded(seed)
  return all
    .map((one) => ({ one, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ one }) => one)
}

/** `install 12 after POST /api/v1/namespaces`, as one line. */
export function lineOf(scenario: Pick<Scenario, 'name'>, { write, moment, lost }: Point): string {
  return `${scenario.name} ${write} ${moment}${lost === 'alone' ? ' orphan' : ''}`
}
