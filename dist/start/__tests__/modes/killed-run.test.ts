import { randomInt } from 'node:crypto'
import { seeded } from '../../sandbox/control-plane/api-faults.js'
import { disown, killed, nextRun, type Point, standing } from './killed-run.js'
import { type Ended, PlayedWorld } from './played-run.js'

type Given = Readonly<Record<string, string>>

/** `KILLED_SEED=7` draws the same points again, `KILLED_SHARE=1` takes all of them. */
const seed = Number(process.env['KILLED_SEED'] ?? randomInt(1_000_000))
const share = Number(process.env['KILLED_SHARE'] ?? 7)

const install: Given = { 'smoke-test': 'false', 'karpenter-version': '1.14.1' }
const older: Given = { ...install, 'karpenter-version': '1.13.1' }
const removal: Given = { mode: 'uninstall', 'remove-crds': 'true', 'remove-oidc-provider': 'true' }
const adoption: Given = { ...install, adopt: 'true' }

interface Scenario {
  /** Runs that lead to the state. */
  readonly before: readonly Given[]
  /** After them nothing says any more that this action made it. */
  readonly disowned?: true
  readonly killed: Given
}

const scenarios: readonly (readonly [string, Scenario])[] = [
  ['an install', { before: [], killed: install }],
  ['an install for IRSA', { before: [], killed: { ...install, 'controller-identity': 'irsa' } }],
  ['an upgrade', { before: [older], killed: install }],
  ['a downgrade', { before: [install], killed: { ...older, 'allow-downgrade': 'true' } }],
  // With an upgrade at once: of the version that runs, an adoption writes little but its record.
  ['an adoption', { before: [older], disowned: true, killed: adoption }],
  ['an uninstall', { before: [install], killed: removal }],
  [
    'a smoke test',
    {
      before: [install],
      killed: { mode: 'smoke-test', 'smoke-test-replicas': '1', 'karpenter-version': '1.14.1' }
    }
  ]
]

function succeeded(ended: Ended, what: string): Ended {
  if (ended.failed !== undefined) throw new Error(`${what}: ${ended.failed}\n${ended.log.join('\n')}`)
  return ended
}

async function inWorld<T>(
  { before, disowned }: Scenario,
  work: (world: PlayedWorld, empty: readonly string[]) => Promise<T>
): Promise<T> {
  const world = await PlayedWorld.start()
  try {
    const empty = standing(world)
    for (const given of before) succeeded(await world.main(given), 'the run before')
    if (disowned === true) disown(world)
    return await work(world, empty)
  } finally {
    await world.stop()
  }
}

describe.each(scenarios)('the machine of %s is lost at a write', (name, scenario) => {
  const given = scenario.killed
  it(`and the next run ends well, a check is clean, an uninstall leaves nothing (seed ${seed})`, async () => {
    const { writes } = await inWorld(scenario, async (world) => killed(world, given))
    expect(writes.length).toBeGreaterThan(3)
    const points = writes.flatMap((_, index) =>
      (['before', 'after'] as const).map((moment): Point => ({ write: index + 1, moment }))
    )
    const random = seeded(seed)
    const drawn = points.filter(() => random() < 1 / share)
    const faults: string[] = []
    for (const point of drawn) {
      const fault = await inWorld(scenario, async (world, empty) =>
        faultAt(world, empty, given, point)
      ).catch(String)
      if (fault !== undefined)
        faults.push(`${name} ${point.write} ${point.moment} ${writes[point.write - 1] ?? ''}: ${fault}`)
    }
    expect(faults).toEqual([])
  }, 600_000)
})

/** What did not hold; undefined: nothing. */
async function faultAt(
  world: PlayedWorld,
  empty: readonly string[],
  given: Given,
  point: Point
): Promise<string | undefined> {
  if (!(await killed(world, given, point)).reached) return 'the run did not come so far'
  succeeded(await nextRun(world, given), 'the next run')
  if (given['mode'] !== 'uninstall') {
    const check = await world.main({ ...given, mode: 'check' })
    const { drift, unhealthy, pending, unknown } = check.outputs
    const counts = [drift, unhealthy, pending, unknown].join(' ')
    if (counts !== '0 0 0 0') return `the check: ${counts}\n${check.log.join('\n')}`
    succeeded(await world.main({ ...removal, 'remove-adopted': 'true' }), 'the uninstall')
  }
  const left = standing(world).filter((one) => !empty.includes(one))
  const gone = empty.filter((one) => !standing(world).includes(one))
  const others = left.filter((one) => !/AWSServiceRoleForEC2Spot/.test(one))
  return others.length + gone.length === 0
    ? undefined
    : `left: ${others.join(', ')}; gone: ${gone.join(', ')}`
}
