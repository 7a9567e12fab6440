import { adoptionEntries } from '../../src/adoption/listing.js'
import { Graph } from '../../src/engine/graph.js'
import { missing } from '../../src/engine/difference.js'
import { UserError } from '../../src/engine/errors.js'
import type { Owner } from '../../src/engine/owner.js'
import { type Live, resource } from '../../src/engine/resource.js'
import type { Sign } from '../../src/engine/standing.js'
import { inspectAll } from '../../src/engine/walk.js'
import { adoptionLines } from '../../src/report/adoption-notes.js'

const eksctl: Owner = { kind: 'other', who: 'eksctl', evidence: ['tag alpha.eksctl.io/cluster-name=blue'] }
const byHand: Owner = { kind: 'unmarked', evidence: ['field manager kubectl-client-side-apply'] }
const refused = new UserError('controller-role-name', 'the role is not trusted', 'Trust it.')

function one(
  id: string,
  live: Live<number>,
  owner?: Owner,
  refusal?: UserError,
  sign: Sign<number> = { by: 'record' }
) {
  return resource<number, number>(
    {
      id,
      layer: 'iam',
      title: id,
      dependsOn: [],
      wanted: 1,
      read: async () => Promise.resolve(live),
      compare: (wanted, now) =>
        now === wanted ? [] : [{ path: 'a', wanted, live: now, reason: 'a is 2', severity: 'cosmetic' }],
      absent: () => [missing(id, 1)],
      sign: owner === undefined ? sign : { by: 'mark', mark: () => owner },
      ...(refusal !== undefined && { refusal: () => refusal }),
      apply: async () => Promise.resolve(),
      remove: async () => Promise.resolve({ outcome: 'absent' })
    },
    (value): value is number => typeof value === 'number'
  )
}

const graph = new Graph([
  one('hers', { state: 'present', value: 1 }, byHand),
  one('hers-changed', { state: 'present', value: 2 }, byHand),
  one('theirs', { state: 'present', value: 1 }, eksctl),
  one('theirs-changed', { state: 'present', value: 2 }, eksctl),
  one('not-there', { state: 'absent' }),
  one('unread', { state: 'unreadable', reason: 'denied', missingPermission: 'iam:GetRole' }),
  one('refused', { state: 'present', value: 2 }, byHand, refused)
])

describe('the adoption report', () => {
  it('says of each resource what it is, whose, by what evidence, and what an adoption does', async () => {
    const entries = adoptionEntries(graph, await inspectAll(graph, new AbortController().signal))
    expect(entries.map(({ id, state, adopt }) => [id, state, adopt])).toEqual([
      ['hers', 'as wanted', 'take it over as it is'],
      ['hers-changed', 'different', 'take it over, and change it in 1 place'],
      ['theirs', "somebody else's", 'use it, and leave it to eksctl'],
      ['theirs-changed', "somebody else's", 'change it in 1 place, and leave it to eksctl'],
      ['not-there', 'missing', 'create it'],
      ['unread', 'unknown', 'be refused: it cannot be read (iam:GetRole)'],
      ['refused', 'different', expect.stringContaining('be refused: controller-role-name')]
    ])
    expect(entries.map(({ keeper }) => keeper)).toEqual([
      undefined,
      undefined,
      'eksctl',
      'eksctl',
      undefined,
      undefined,
      undefined
    ])
    const lines = adoptionLines(entries)
    expect(lines).toContain(
      "somebody else's: theirs is kept by eksctl (tag alpha.eksctl.io/cluster-name=blue); adopt would use it, and leave it to eksctl"
    )
    expect(lines.at(-1)).toBe("1 as wanted, 2 different, 2 somebody else's, 1 missing, 1 unknown")
  })
})

test('who keeps the stack keeps what is part of it, which bears no mark of its own', async () => {
  const there: Live<number> = { state: 'present', value: 1 }
  const parts = ['policy/a', 'role/b', 'rule/c', 'queue']
  const part = (id: string, live: Live<number>) =>
    one(id, live, undefined, undefined, { by: 'whole', whole: 'stack' })
  const entriesOf = async (owner: Owner) => {
    const resources = [
      one('stack', there, owner),
      ...parts.map((id) => part(id, there)),
      one('namespace', there)
    ]
    const own = new Graph([...resources, part('policy/missing', { state: 'absent' })])
    return adoptionEntries(own, await inspectAll(own, new AbortController().signal))
  }
  const kept = (await entriesOf(eksctl)).filter(({ keeper }) => keeper === 'eksctl')
  expect(kept.map(({ id }) => id)).toEqual(['stack', ...parts])
  expect(kept[1]?.evidence).toEqual(['part of stack'])
  expect((await entriesOf(byHand)).filter(({ keeper }) => keeper !== undefined)).toEqual([])
})
