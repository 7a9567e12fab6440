import { list, literal, table, value } from '../../src/report/markdown.js'

describe('table', () => {
  it('keeps each row on its line, whatever ends a line in a value', () => {
    const text = table(['A', 'B'], [[value('x\ry'), literal('p\r\nq\u2028r')]])
    expect(text.split(/[\n\r\u2028]/)).toEqual(['| A | B |', '|---|---|', '| `x y` | p q r |'])
  })

  it('shows that a value is an empty text', () => {
    expect([value(''), value('  '), value(undefined)]).toEqual(['`""`', '`"  "`', ''])
  })
})

describe('list', () => {
  it('says how many it leaves out', () => {
    expect(list('Left over', ['a', 'b', 'c'], 2)).toBe(
      '### Left over\n\n- a\n- b\n\nand 1 more (see the report)'
    )
    expect(list('Left over', ['a'], 2)).toBe('### Left over\n\n- a')
  })

  it('is nothing when there is nothing in it', () => {
    expect(list('Kept', [])).toBe('')
  })
})
