import { field } from '../../src/kubernetes/manifest.js'
import { PlayedWorld } from './played-run.js'

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
  for (const id of ['subnet-1', 'subnet-2', 'sg-1'])
    world.aws.tags.get(id)?.set('karpenter.sh/discovery', 'green')
})
afterEach(async () => world.stop())

const tags = { 'subnet-1': 'green', 'subnet-2': 'green', 'sg-1': 'green' }

describe('Subnets that another cluster has', () => {
  it("are refused by tags, with an advice that leaves the other cluster's tags alone", async () => {
    const ended = await world.main({ 'smoke-test': 'false' })
    expect(ended.failed).toContain('subnet-1 is tagged karpenter.sh/discovery=green')
    expect(ended.failed).toContain('pass `discovery: ids`')
    expect(ended.failed).not.toMatch(/delete-tags|remove the tag/)
    expect(world.writes()).toEqual({ aws: [], cluster: [] })
  })

  it('are shared by ids: no tag is set, and none is taken at the removal', async () => {
    const given = { 'smoke-test': 'false', discovery: 'ids' }
    const ended = await world.main(given)
    expect(ended.failed).toBeUndefined()
    const nodeClass = world.server.at('/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default')
    expect(field(nodeClass, 'spec', 'subnetSelectorTerms')).toEqual([{ id: 'subnet-1' }, { id: 'subnet-2' }])
    expect(field(nodeClass, 'spec', 'securityGroupSelectorTerms')).toEqual([{ id: 'sg-1' }])
    expect(world.writes().aws.filter((one) => /Tags$/.test(one) && one.startsWith('ec2:'))).toEqual([])
    expect(world.aws.discoveryTags()).toEqual(tags)
    const checked = await world.main({ ...given, mode: 'check' })
    expect(checked.failed).toBeUndefined()
    const removed = await world.main({ ...given, mode: 'uninstall' })
    expect(removed.failed).toBeUndefined()
    expect(world.aws.discoveryTags()).toEqual(tags)
  })
})
