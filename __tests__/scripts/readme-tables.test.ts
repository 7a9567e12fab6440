import { withTables } from '../../scripts/readme-tables.js'

const readme = [
  'before',
  '<!-- inputs from action.yml: npm run docs -->',
  'old',
  '<!-- end of inputs -->',
  '<!-- outputs from action.yml: npm run docs -->',
  '<!-- end of outputs -->',
  'after'
].join('\n')
const action = `
inputs:
  size: { description: a | b, required: true }
  color: { description: Its color., default: red }
  shape: { description: Its shape. }
outputs:
  weight: { description: In grams. }
`

describe('tables of the README', () => {
  it('takes the place of what is between the markers and leaves the rest', () => {
    const text = withTables(readme, action)
    expect(text).toMatch(/^before\n/)
    expect(text).toMatch(/\nafter$/)
    expect(text).not.toContain('old')
  })

  it('shows what is required, defaults, and descriptions with their bars escaped', () => {
    const text = withTables(readme, action)
    expect(text).toContain('| `size` | required | a \\| b |')
    expect(text).toContain('| `color` | `red` | Its color. |')
    expect(text).toContain('| `shape` |  | Its shape. |')
    expect(text).toContain('| `weight` | In grams. |')
  })

  it('is the same when made again', () => {
    const once = withTables(readme, action)
    expect(withTables(once, action)).toBe(once)
  })

  it('refuses a text without markers', () => {
    expect(() => withTables('nothing', action)).toThrow('README.md: the markers')
  })
})
