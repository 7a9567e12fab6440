import { withTables } from '../../scripts/tables.js'

const page = [
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

const groups = [
  { title: 'Form', inputs: ['size', 'shape'] },
  { title: 'Look', inputs: ['color'] }
]
const made = (text: string): string => withTables(text, action, groups, (name) => `modes of ${name}`)

describe('tables of docs/inputs.md', () => {
  it('takes the place of what is between the markers and leaves the rest', () => {
    const text = made(page)
    expect(text).toMatch(/^before\n/)
    expect(text).toMatch(/\nafter$/)
    expect(text).not.toContain('old')
  })

  it('shows what is required, defaults, and descriptions with their bars escaped', () => {
    const text = made(page)
    expect(text).toContain('| `size` | required | modes of size | a \\| b |')
    expect(text).toContain('| `color` | `red` | modes of color | Its color. |')
    expect(text).toContain('| `shape` |  | modes of shape | Its shape. |')
    expect(text).toContain('| `weight` | In grams. |')
  })

  it('shows the inputs by group, in the order of the groups', () => {
    const titles = [...made(page).matchAll(/^### (.*)$|^\| `(size|color|shape)`/gm)]
    expect(titles.map(([, title, input]) => title ?? input)).toEqual([
      'Form',
      'size',
      'shape',
      'Look',
      'color'
    ])
  })

  it('refuses an input that is in no group, in two, or not in action.yml', () => {
    const grouped =
      (inputs: readonly string[]): (() => string) =>
      () =>
        withTables(page, action, [...groups.slice(0, 1), { title: 'Look', inputs }], () => '')
    expect(grouped([])).toThrow('color')
    expect(grouped(['color', 'size'])).toThrow('size')
    expect(grouped(['color', 'weight'])).toThrow('weight')
  })

  it('is the same when made again', () => {
    const once = made(page)
    expect(made(once)).toBe(once)
  })

  it('refuses a text without markers', () => {
    expect(() => made('nothing')).toThrow('docs/inputs.md: the markers')
  })
})
