import { Grouped } from '../../src/kubernetes/grouped.js'

interface One {
  readonly metadata: { readonly uid: string }
  readonly team: string
}

const one = (uid: string, team: string): One => ({ metadata: { uid }, team })

test('what belongs together is found by it, as it is now', () => {
  const grouped = new Grouped<One>(({ team }) => team)
  const uids = (team: string): readonly string[] => grouped.of(team).map(({ metadata }) => metadata.uid)
  grouped.change(one('1', 'a'), 'here')
  grouped.change(one('2', 'a'), 'here')
  grouped.change(one('3', 'b'), 'here')
  expect([uids('a'), uids('b'), uids('c')]).toEqual([['1', '2'], ['3'], []])
  grouped.change(one('1', 'b'), 'here')
  grouped.change(one('2', 'a'), 'gone')
  grouped.change(one('4', 'c'), 'gone')
  expect([uids('a'), uids('b'), uids('c')]).toEqual([[], ['3', '1'], []])
})
