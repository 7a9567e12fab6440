import { madeUpPrefix, stackRules, type RuleId } from '../../src/aws/stack-rules.js'
import { awsWith, Refusal, type Handlers } from './stand-in.js'

const ids: readonly RuleId[] = [{ logicalId: 'RebalanceRule' }, { logicalId: 'SpotInterruptionRule' }]

/** EventBridge with these rules, and a stack whose rules have these physical ids. */
async function withRules(
  {
    names,
    stack = 'Karpenter-blue',
    of = ids,
    likely
  }: { names: string[]; stack?: string; of?: readonly RuleId[]; likely?: 'absent' },
  physical?: Readonly<Record<string, string>>,
  more: Handlers = {}
) {
  const { aws, server, close } = await awsWith({
    ListRules: ({ NamePrefix = '', NextToken }) => {
      const own = names.filter((name) => name.startsWith(String(NamePrefix)))
      const [from, to] = NextToken === undefined ? [0, 2] : [2, own.length]
      return {
        Rules: own.slice(from, to).map((Name) => ({ Name })),
        ...(to < own.length && { NextToken: 'more' })
      }
    },
    DescribeStackResources: () => {
      if (physical === undefined)
        throw new Refusal('ValidationError', `Stack with id ${stack} does not exist`)
      return {
        StackResources: Object.entries(physical).map(([LogicalResourceId, PhysicalResourceId]) => ({
          LogicalResourceId,
          PhysicalResourceId,
          ResourceType: 'AWS::Events::Rule',
          ResourceStatus: 'CREATE_COMPLETE',
          Timestamp: '2026-01-01T00:00:00Z'
        }))
      }
    },
    ...more
  })
  const rules = stackRules(aws, stack, of, likely)
  const find = async (): Promise<readonly (string | undefined)[]> =>
    Promise.all(of.map(async (id) => (await rules.find(id))?.Name))
  return { rules, find, server, close }
}

describe('The rules of a stack', () => {
  it('are found by one listing, those of a stack whose name begins alike aside', async () => {
    const names = [
      'Karpenter-blue-RebalanceRule-Abc123Def456',
      'Karpenter-blue-RebalanceRule-SpotInterruptionRule-Abc123Def456',
      'Karpenter-blue-SpotInterruptionRule-1ABCDEFGHIJKL',
      'Karpenter-blue-SpotInterruptionRule-mine'
    ]
    const { find, server, close } = await withRules({ names })
    expect(await find()).toEqual([names[0], names[2]])
    expect(server.calls).toEqual(['ListRules', 'ListRules'])
    expect(server.inputs).toEqual([
      { NamePrefix: 'Karpenter-blue-' },
      { NamePrefix: 'Karpenter-blue-', NextToken: 'more' }
    ])
    await close()
  })

  it('are found all the same where none were likely, the stack asked beside the list', async () => {
    const names = ['Karpenter-blue-RebalanceRule-Abc123Def456', 'theirs-12']
    const physical = { RebalanceRule: names[0] ?? '', SpotInterruptionRule: 'theirs-12' }
    const { find, server, close } = await withRules({ names, likely: 'absent' }, physical)
    expect(await find()).toEqual(names)
    expect(server.calls.slice(0, 2).toSorted()).toEqual(['DescribeStackResources', 'ListRules'])
    expect(server.calls.filter((name) => name === 'DescribeStackResources')).toHaveLength(1)
    await close()
  })

  it('are none before the stack is there, for one question more', async () => {
    const { find, rules, server, close } = await withRules({ names: [] })
    expect(await find()).toEqual([undefined, undefined])
    expect(server.calls).toEqual(['ListRules', 'DescribeStackResources'])
    expect(await rules.nameOf({ logicalId: 'RebalanceRule' })).toBeUndefined()
    await close()
  })

  it('that were deleted keep their name in the stack', async () => {
    const names = ['Karpenter-blue-SpotInterruptionRule-Abc123Def456']
    const { find, rules, server, close } = await withRules(
      { names },
      { RebalanceRule: 'Karpenter-blue-RebalanceRule-Xyz123Xyz123' }
    )
    expect(await find()).toEqual([undefined, names[0]])
    expect(await rules.nameOf({ logicalId: 'RebalanceRule' })).toBe(
      'Karpenter-blue-RebalanceRule-Xyz123Xyz123'
    )
    expect(server.calls.filter((call) => call === 'ListRules')).toHaveLength(1)
    await close()
  })

  it('are asked of the stack where two could be meant', async () => {
    const names = ['Karpenter-blue-RebalanceRule-Old123Old123', 'Karpenter-blue-RebalanceRule-New123New123']
    const { find, close } = await withRules(
      { names, of: [{ logicalId: 'RebalanceRule' }] },
      { RebalanceRule: 'Karpenter-blue-RebalanceRule-New123New123' }
    )
    expect(await find()).toEqual([names[1]])
    await close()
  })

  it('with a name of the template are found by it', async () => {
    const of = [{ logicalId: 'RebalanceRule', name: 'blue-rebalance' }, { logicalId: 'SpotInterruptionRule' }]
    const names = ['Karpenter-blue-SpotInterruptionRule-Abc123Def456', 'blue-rebalance']
    const { find, server, close } = await withRules({ names, of })
    expect(await find()).toEqual(['blue-rebalance', names[0]])
    expect(server.inputs).toEqual([{}])
    await close()
  })

  it.each([
    ['a', 'Karpenter-a-CapacityReservationInterruptionRule', true],
    ['eksworkshop', 'Karpenter-eksworkshop-CapacityReservationInterruptionR', true],
    ['production-eu-west-1', 'Karpenter-production-eu-w-CapacityReservationInterru', false]
  ])('of cluster %s have names that begin with %s', (cluster, prefix, wholeStack) => {
    const { text, wholeStack: whole } = madeUpPrefix(
      `Karpenter-${cluster}`,
      'CapacityReservationInterruptionRule'
    )
    expect({ text, whole }).toEqual({ text: prefix.slice(0, 51), whole: wholeStack })
  })

  it('of a stack whose name is cut are asked of the stack, since another stack can be cut to the same', async () => {
    const stack = 'Karpenter-production-eu-west-1'
    const of = [{ logicalId: 'CapacityReservationInterruptionRule' }, { logicalId: 'RebalanceRule' }]
    const theirs = 'Karpenter-production-eu-w-CapacityReservationInterr-Abc123Def456'
    const ours = 'Karpenter-production-eu-w-CapacityReservationInterr-Xyz123Xyz123'
    const rebalance = `${stack}-RebalanceRule-Abc123Def456`
    const { find, server, close } = await withRules(
      { names: [theirs, ours, rebalance], stack, of },
      { CapacityReservationInterruptionRule: ours, RebalanceRule: rebalance }
    )
    expect(await find()).toEqual([ours, rebalance])
    expect(server.inputs[0]).toEqual({ NamePrefix: 'Karpenter-production-eu-w' })
    await close()
  })

  it('under a name that is cut in another way are listed by that name', async () => {
    const odd = 'Karpenter-b-RebalanceRule-1ABCDEFGHIJKL'
    const { find, server, close } = await withRules(
      { names: [odd], of: [{ logicalId: 'RebalanceRule' }] },
      { RebalanceRule: odd }
    )
    expect(await find()).toEqual([odd])
    expect(server.inputs.at(-1)).toEqual({ NamePrefix: odd })
    await close()
  })

  it('are read anew after a change', async () => {
    const names = ['Karpenter-blue-RebalanceRule-Abc123Def456']
    const { rules, close } = await withRules({ names }, {})
    const spot = { logicalId: 'SpotInterruptionRule' }
    expect(await rules.find(spot)).toBeUndefined()
    names.push('Karpenter-blue-SpotInterruptionRule-Abc123Def456')
    expect((await rules.find(spot))?.Name).toBe(names[1])
    await close()
  })
})
