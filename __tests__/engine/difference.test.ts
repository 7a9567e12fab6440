import { missing } from '../../src/engine/difference.js'

it('what is missing breaks scaling, unless it is said to matter less', () => {
  expect(missing('Role x', { name: 'x' })).toEqual({
    path: '',
    wanted: { name: 'x' },
    live: undefined,
    reason: 'Role x does not exist',
    severity: 'breaks scaling'
  })
  expect(missing('Role x', {}, 'cosmetic').severity).toBe('cosmetic')
})
