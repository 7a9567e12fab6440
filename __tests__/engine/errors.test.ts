import { messageOf, UserError } from '../../src/engine/errors.js'
import { unreadableError } from '../../src/engine/unreadable.js'

it('an error says what failed on what, how things were left, what to do, and what it came of', () => {
  const cause = new Error('AccessDenied')
  const error = new UserError('Role x', 'is denied', 'Allow it.', { state: 'Nothing was changed.', cause })
  expect(error).toMatchObject({
    name: 'UserError',
    message: 'Role x: is denied',
    state: 'Nothing was changed.',
    fix: 'Allow it.',
    cause
  })
  expect(new UserError('Role x', 'is denied', 'Allow it.').state).toBeUndefined()
})

it('what could not be read is told with how it was left, and what to do about it', () => {
  expect(unreadableError('Role x', { reason: 'denied' }, 'It was left.')).toMatchObject({
    message: 'Role x: could not be read: denied',
    state: 'It was left.',
    fix: 'Run again when it can be read.'
  })
})

it('the text of whatever was thrown', () => {
  expect([messageOf(new Error('no')), messageOf('text'), messageOf(7)]).toEqual(['no', 'text', '7'])
})
