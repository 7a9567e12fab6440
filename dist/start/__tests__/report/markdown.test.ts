import fc from 'fast-check'
import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import type { Finding } from '../../src/engine/findings.js'
import { findingBlock } from '../../src/report/finding-block.js'
import { code, list, markdown, prose, table, value } from '../../src/report/markdown.js'
import { adviceText, errorQuote } from '../../src/report/prose.js'
import { finding } from './finding.js'

/** As GitHub makes a page of it, but for mentions and references, which it looks for in the page's text afterwards. */
function page(text: string): string {
  return micromark(text, { extensions: [gfm()], htmlExtensions: [gfmHtml()], allowDangerousHtml: true })
}

/** What a reader sees, the space of no width left out. */
function seen(html: string): string {
  return html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('\u200b', '')
}

const hostile = [
  '@octo-org/admins',
  'octo-org/octo-repo#12',
  '#7',
  'GH-7',
  '[a](https://example.com)',
  '![a](https://example.com/a.png)',
  'https://example.com/x',
  'www.example.com',
  'user@example.com',
  '<https://example.com>',
  '<img src=x onerror=y>',
  '<!-- x -->',
  '</details>',
  '&lt;b&gt;',
  '| a | b |',
  '\\| x',
  '\\\\| x',
  '`x`',
  '``` x',
  '**a** _b_ ~~c~~',
  '$x$',
  '# a',
  '- a',
  '1. a',
  '> a',
  '\n\n## a\n\n',
  '\r| a | b |\r',
  '\u2028',
  '\u202eabc',
  '\u001b[31mred',
  ':tada:',
  '[^1]'
]
const text = fc
  .array(fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: 'grapheme' })), {
    minLength: 1,
    maxLength: 4
  })
  .map((parts) => parts.join(' '))

const cells = (html: string): number => [...html.matchAll(/<td>/g)].length
const tags = (html: string): readonly string[] =>
  [...new Set([...html.matchAll(/<\/?([a-z][a-z0-9]*)/gi)].map(([, name]) => name ?? ''))].toSorted()

describe('text from outside', () => {
  it('stays in its cell, and is text there', () => {
    fc.assert(
      fc.property(text, (evil) => {
        const html = page(table(['A', 'B'], [[evil, value(evil)]]))
        expect(tags(html)).toEqual(['code', 'table', 'tbody', 'td', 'th', 'thead', 'tr'])
        expect(cells(html)).toBe(2)
      })
    )
  })

  it('that begins with spaces is no block of code', () => {
    expect(tags(page(list('Warnings', ['      a'])))).toEqual(['h3', 'li', 'ul'])
  })

  it('stays a line of its list, and is text there', () => {
    fc.assert(
      fc.property(text, (evil) => {
        const html = page(list('Warnings', [evil, 'after']))
        expect(tags(html)).toEqual(['h3', 'li', 'ul'])
        expect([...html.matchAll(/<li>/g)]).toHaveLength(2)
      })
    )
  })

  it('ends no quotation of an error, and is nothing but paragraphs, points and code in it', () => {
    fc.assert(
      fc.property(text, (evil) => {
        const html = page(errorQuote(`setup-karpenter: ${evil}: ${evil}\n  ${evil}\n  - ${evil}\nend`))
        const allowed = ['blockquote', 'code', 'li', 'p', 'strong', 'ul']
        expect(tags(html).filter((tag) => !allowed.includes(tag))).toEqual([])
        expect(html.trim()).toMatch(/^<blockquote>[^]*<p>end<\/p>\n<\/blockquote>$/)
      })
    )
  })

  it('stays in its block of a finding, folded advice and all', () => {
    fc.assert(
      fc.property(text, (evil) => {
        const install = `not mend it. ${'Look again. '.repeat(20)} ${evil}`
        const one: Finding = {
          ...finding,
          title: `a ${evil}`,
          path: evil,
          live: evil,
          reason: `as ${evil}`,
          install
        }
        const html = page(
          [
            { ...one, by: { manager: evil } },
            { ...one, by: { manager: 'me' } }
          ]
            .map(findingBlock)
            .join('\n')
        )
        expect(tags(html)).toEqual(['br', 'code', 'details', 'li', 'strong', 'summary', 'ul'])
        expect([...html.matchAll(/<li>/g)]).toHaveLength(10)
        expect([...html.matchAll(/<details>/g)]).toHaveLength(2)
      })
    )
  })

  it('names nobody: a space of no width is behind each sign that GitHub looks for', () => {
    fc.assert(
      fc.property(text, (evil) => {
        const html = page(table(['A'], [[evil]]))
        expect(html).not.toMatch(/@(?!\u200b)|#(?!\u200b)|\bGH-|\bwww\.|:\/\//)
      })
    )
  })

  it.each(hostile.filter((one) => !/[\r\n\u2028\u202e\u001b]/.test(one)))(
    'is read as it was written: %s',
    (evil) => {
      expect(seen(page(table(['A'], [[evil]])))).toContain(evil)
      expect(seen(page(table(['A'], [[code(evil)]])))).toContain(evil)
    }
  )

  it('shows what is not seen', () => {
    expect(table(['A'], [['x\u202ey\u0000']])).toContain('x&#92;u202ey&#92;u0000')
    expect(prose('a\u001b[31mb\u2066')).toBe('ab&#92;u2066')
  })
})

describe('table', () => {
  it('keeps each row on its line, whatever ends a line in a value', () => {
    const rows = table(['A', 'B'], [[value('x\ry'), 'p\r\nq\u2028r']])
    expect(rows.split(/[\n\r\u2028]/)).toEqual(['| A | B |', '|---|---|', '| `x y` | p q r |'])
  })

  it('takes our own Markdown as it is', () => {
    expect(table(['A'], [[markdown('**failed**')]])).toContain('| **failed** |')
  })

  it('shows that a value is an empty text', () => {
    expect(['', '  ', undefined].map((one) => value(one).markdown)).toEqual(['`""`', '`"  "`', ''])
  })
})

describe('prose', () => {
  it('shows as code what stands between backticks, and a single one as it is', () => {
    expect(prose('pass `mode: plan`, or `x` or ` alone')).toBe(
      'pass <code>mode: plan</code>, or <code>x</code> or &#96; alone'
    )
  })

  it('folds advice after its first sentence where it is long, a line a sentence', () => {
    expect(adviceText('Run it again. Then look.')).toBe('Run it again. Then look.')
    const long = `Run e.g. ${'x'.repeat(200)} again. Then look. \`y\` helps.`
    expect(adviceText(long)).toBe(
      `<details><summary>Run e.g. ${'x'.repeat(200)} again.</summary>Then look.<br><code>y</code> helps.</details>`
    )
  })

  it('quotes an error, with the resource at fault in bold, and points as points', () => {
    const error =
      'setup-karpenter: subnets: none is free\n  These stay:\n  - made a\n  - made b\n  Run again.'
    expect(errorQuote(error)).toBe(
      '> **subnets**: none is free\n>\n> These stay:\n> - made a\n> - made b\n>\n> Run again.'
    )
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
