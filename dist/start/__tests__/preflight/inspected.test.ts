import { UserError } from '../../src/engine/errors.js'
import { type AnyResource, type Inspection, type Live, resource } from '../../src/engine/resource.js'
import { nameTaken } from '../../src/preflight/name-taken.js'
import { notOurs } from '../../src/preflight/not-ours.js'

const containing = (part: string): unknown => expect.stringContaining(part)

function named(id: string, live: Live<string>, layer: AnyResource['layer'] = 'iam'): AnyResource {
  return resource<string, string>(
    {
      id,
      layer,
      title: `Role ${id}`,
      dependsOn: [],
      wanted: id,
      read: async () => live,
      compare: () => [],
      absent: () => [
        { path: '', wanted: id, live: undefined, reason: 'missing', severity: 'breaks scaling' }
      ],
      refusal: (found) =>
        found === 'foreign' ? new UserError(id, 'is of: somebody else', 'Take another name.') : undefined,
      apply: async () => undefined,
      sign: { by: 'record' },
      remove: async () => ({ outcome: 'absent' })
    },
    (value): value is string => typeof value === 'string'
  )
}

const foreign: Live<string> = { state: 'present', value: 'foreign' }
const ours: Live<string> = { state: 'present', value: 'ours' }
const absent: Live<string> = { state: 'absent' }

const facts = (...resources: readonly AnyResource[]) => ({
  inspections: inspected(...resources),
  denied: []
})
const inspected =
  (...resources: readonly AnyResource[]) =>
  async (): Promise<ReadonlyMap<string, Inspection>> => {
    const all = await Promise.all(resources.map(async (one) => one.inspect(new AbortController().signal)))
    return new Map(all.map((one) => [one.resource.id, one]))
  }

describe('notOurs', () => {
  it('lets pass what may be made as wanted', async () => {
    expect(await notOurs(facts(named('a', ours), named('b', absent)))).toEqual([])
  })

  it('finds every live state that a resource will not touch', async () => {
    expect(await notOurs(facts(named('a', foreign), named('b', foreign)))).toEqual([
      expect.objectContaining({
        level: 'error',
        subject: 'a',
        problem: 'is of: somebody else',
        fix: 'Take another name.'
      }),
      expect.objectContaining({ subject: 'b' })
    ])
  })

  it('leaves tags of another cluster to the check that says so of each thing', async () => {
    expect(
      await notOurs(facts(named('subnet-tags', foreign), named('security-group-tags', foreign)))
    ).toEqual([])
  })

  it('names the permission that reading lacks', async () => {
    const live: Live<string> = { state: 'unreadable', reason: 'denied', missingPermission: 'iam:GetRole' }
    expect(await notOurs(facts(named('a', live)))).toEqual([
      expect.objectContaining({
        subject: 'Role a',
        problem: 'could not be read: denied',
        fix: containing("Allow the run's role iam:GetRole")
      })
    ])
  })

  it('names what discovery could not read, unless a resource has said so already', async () => {
    const live: Live<string> = { state: 'unreadable', reason: 'denied', missingPermission: 'iam:GetRole' }
    const denied = [
      { what: 'nodes', layer: 'kubernetes', missingPermission: 'list nodes', reason: 'no' },
      { what: 'role', layer: 'iam', missingPermission: 'iam:GetRole', reason: 'denied' },
      { what: 'record', layer: 'kubernetes', missingPermission: 'get configmaps', reason: 'no' }
    ] as const
    const found = await notOurs({ inspections: inspected(named('a', live)), denied })
    expect(found.map(({ subject, fix }) => [subject, fix.split(';')[0]])).toEqual([
      ['Role a', "Allow the run's role iam:GetRole"],
      ['nodes', "Allow the run's role list nodes"]
    ])
  })

  it('fails with the comparison, which is said when nothing else is wrong', async () => {
    await expect(
      notOurs({ inspections: async () => Promise.reject(new Error('no answer')), denied: [] })
    ).rejects.toThrow('no answer')
  })
})

describe('nameTaken', () => {
  const of = async (resources: readonly AnyResource[], nodeRoleNamed = false): ReturnType<typeof nameTaken> =>
    nameTaken({
      stackName: 'Karpenter-blue',
      nodeRoleName: 'KarpenterNodeRole-blue',
      nodeRoleNamed,
      inspections: inspected(...resources)
    })
  const findingsOf = async (...resources: readonly AnyResource[]): Promise<readonly string[]> =>
    (await of(resources)).map(({ subject, problem }) => `${subject} ${problem}`)

  it('finds a queue, role or policy that the new stack would make', async () => {
    expect(
      await findingsOf(
        named('stack', absent),
        named('queue', ours),
        named('role/KarpenterNodeRole-blue', ours),
        named('policy/KarpenterControllerPolicy-blue', absent),
        named('controller-role', ours)
      )
    ).toEqual([
      'Role queue is there already, and there is no stack Karpenter-blue that it could be of',
      expect.stringMatching(/^Role role\/KarpenterNodeRole-blue is there already/)
    ])
  })

  it.each([
    [
      false,
      'To use it as it is, and leave it to whoever made it, pass `node-role-name: KarpenterNodeRole-blue`.'
    ],
    [true, 'Delete it when nothing uses it, or take other names']
  ])('says how the role is used as it is, unless it was asked for (%s)', async (named_, fix) => {
    const [taken] = await of([named('stack', absent), named('role/KarpenterNodeRole-blue', ours)], named_)
    expect(taken?.fix).toContain(fix)
  })

  it('takes what is there for of the stack where there is one', async () => {
    expect(await findingsOf(named('stack', ours), named('queue', ours))).toEqual([])
  })
})
