import { parsePairs, parsePath } from '../../../sandbox/runner/file-commands.js'

describe('parsePairs', () => {
  it('takes a line name=value, with = in the value', () => {
    expect(parsePairs('a=1\nb=x=y\n')).toEqual({ a: '1', b: 'x=y' })
  })
  it('takes a heredoc of several lines, with = and << inside', () => {
    expect(parsePairs('report<<EOF_1\n{"a": "b=c"}\nx<<y\n\nEOF_1\nlast=1\n')).toEqual({
      report: '{"a": "b=c"}\nx<<y\n',
      last: '1'
    })
  })
  it('takes << behind = as part of the value', () => {
    expect(parsePairs('a=b<<c\n')).toEqual({ a: 'b<<c' })
  })
  it('keeps the last value of a name', () => {
    expect(parsePairs('a=1\na=2\n')).toEqual({ a: '2' })
  })
  it.each([
    ['no separator\n', "Invalid format 'no separator'"],
    ['a<<EOF\nx\n', "Matching delimiter not found 'EOF'"],
    ['=x\n', 'Name must not be empty']
  ])('refuses %j', (content, message) => {
    expect(() => parsePairs(content)).toThrow(message)
  })
})

it('parsePath puts the newest folder first', () => {
  expect(parsePath('/a\n/b\n')).toEqual(['/b', '/a'])
})
