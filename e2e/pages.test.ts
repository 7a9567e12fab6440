import { type Browser, startBrowser } from './pages/browser.js'
import { lookAt, widths } from './pages/page.js'
import { type PageText, pageTexts } from './pages/texts.js'

let browser: Browser
let pages: readonly PageText[]
beforeAll(async () => {
  ;[browser, pages] = await Promise.all([startBrowser(), pageTexts()])
})
afterAll(async () => browser.close())

describe.each(Object.entries(widths))('on a page as wide as a %s', (name, width) => {
  test('nothing lies beyond the edge, no table has an empty head, and every drawing is drawn', async () => {
    expect(pages.map(({ name: of, markdown }) => (markdown === '' ? of : ''))).toEqual(pages.map(() => ''))
    for (const { name: of, markdown, drawn } of pages) {
      const folder = process.env['PAGES']
      const picture = folder === undefined ? undefined : `${folder}/${of.replaceAll(' ', '-')}-${name}.png`
      const { bars, ...looked } = await lookAt(browser, markdown, width, picture)
      expect({ of, ...looked }).toEqual({ of, tooWide: [], notDrawn: [], emptyHeads: [] })
      expect({ of, drawn: bars.length >= 4 }).toEqual({ of, drawn })
    }
  })
})
