import { mapAt } from '../../src/engine/json.js'
import { field } from '../../src/kubernetes/manifest.js'
import { type Ended, PlayedWorld } from './played-run.js'

const nodePool = '/apis/karpenter.sh/v1/nodepools/default'
const limits = `
- resource: node-pool/default
  field: spec.limits.*
  reason: raised by hand in the season
  until: 2999-12-31
`

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
  await world.main({ 'smoke-test': 'false' })
})
afterEach(async () => world.stop())

/** As somebody does it with `kubectl edit`. */
function edit(of: 'limits' | 'disruption', change: Readonly<Record<string, unknown>>): void {
  const live = world.server.at(nodePool)
  const spec = mapAt(live, 'spec')
  world.server.put(nodePool, { ...live, spec: { ...spec, [of]: { ...mapAt(spec, of), ...change } } })
}

function cpu(): unknown {
  return field(world.server.at(nodePool), 'spec', 'limits', 'cpu')
}

async function run(mode: string, ignore: string): Promise<Ended> {
  return world.main({ mode, ignore, 'smoke-test': 'false' })
}

describe('a field that is ignored', () => {
  it('is no drift to a check, and is counted, listed folded, and in the report', async () => {
    edit('limits', { cpu: '7' })
    expect((await run('check', '')).outputs['drift']).toBe('1')
    const ended = await run('check', limits)
    expect([ended.failed, ended.outputs['drift']]).toEqual([undefined, '0'])
    expect(ended.summary).toContain('<details><summary>1 ignored</summary>\n\n- NodePool default')
    expect(ended.summary).toContain('(raised by hand in the season, until 2999-12-31)')
    expect(ended.log.join('\n')).toContain('ignored: NodePool default: spec.limits.cpu')
    expect(ended.report).toMatchObject({
      findings: [],
      ignored: [{ id: 'node-pool/default', path: 'spec.limits.cpu', reason: 'raised by hand in the season' }]
    })
  })

  it('is no change to a plan, and an install writes nothing for it', async () => {
    edit('limits', { cpu: '7' })
    const planned = await run('plan', limits)
    expect([planned.outputs['changes'], planned.failed]).toEqual(['0', undefined])
    expect(JSON.parse(planned.outputs['plan'] ?? '')).toMatchObject({ changes: 0, ignored: 1 })
    const installed = await run('install', limits)
    expect([installed.failed, installed.outputs['changed']]).toEqual([undefined, 'false'])
    expect(installed.writes).toEqual({ aws: [], cluster: [] })
    expect(installed.report).toMatchObject({ ignored: [{ path: 'spec.limits.cpu' }] })
  })

  it('stays as it is while an install puts back another field of the same NodePool', async () => {
    edit('limits', { cpu: '7' })
    edit('disruption', { consolidateAfter: '99h' })
    const installed = await run('install', limits)
    expect(installed.failed).toBeUndefined()
    expect(installed.outputs['changed']).toBe('true')
    expect(cpu()).toBe('7')
    expect(field(world.server.at(nodePool), 'spec', 'disruption', 'consolidateAfter')).not.toBe('99h')
    await run('install', '')
    expect(cpu()).not.toBe('7')
  })
})

it('of a resource that is written as a whole is said not to be ignored, where that differs elsewhere too', async () => {
  for (const id of ['subnet-1', 'subnet-2']) world.aws.tags.get(id)?.delete('karpenter.sh/discovery')
  const planned = await run(
    'plan',
    '- { resource: subnet-tags, field: subnet-2.*, reason: it is another network }'
  )
  expect(planned.outputs['changes']).toBe('1')
  expect(planned.log.join('\n')).toContain('not ignored: Subnet tags: subnet-2')
})

it('an entry that does nothing is a note, and one that is wrong ends the run before its first call', async () => {
  const past = limits.replace('2999-12-31', '2026-01-01')
  const ended = await run('check', `${past}- { resource: gone, field: '*', reason: x }\n`)
  expect(ended.log.join('\n')).toContain('ended on 2026-01-01, and is not used any more')
  expect(ended.log.join('\n')).toContain('ignore: gone * matches nothing that differs now')
  expect(ended.warnings).toEqual([])
  expect((await run('check', '- { resource: a, field: b }')).failed).toContain(
    'ignore: entry 1 has no reason'
  )
})
