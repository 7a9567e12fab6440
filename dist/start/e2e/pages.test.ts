import { type Browser, startBrowser } from './pages/browser.js'
import { lookAt, widths } from './pages/page.js'
import type { Report, TimelineBar } from '../src/report/report.js'
import { timelineText } from '../src/report/timeline.js'
import { type PageText, pageTexts } from './pages/texts.js'

const report: Report = {
  schema: 'setup-karpenter/report/v1',
  mode: 'install',
  result: 'succeeded',
  headline: 'installed',
  run: 'local',
  startedAt: '2026-01-01T00:00:00Z',
  seconds: 20,
  cluster: { name: 'blue', region: 'eu-west-1' },
  changed: true,
  choices: {},
  resources: [],
  stages: [],
  smokeTests: [],
  requests: { total: 0, writes: 0, repeated: [], byService: {} },
  warnings: [],
  kept: {}
}

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

test('a drawing is drawn whatever the names in it are', async () => {
  const names = [
    'a: b; c',
    '#1 %% x',
    'click me',
    'section',
    'done',
    '`x` ```',
    '<b>',
    'crit, active',
    '日本',
    '2026-01-01'
  ]
  const bar = (title: string): TimelineBar => ({
    part: 'nodes',
    title,
    from: 0,
    to: 20,
    critical: false,
    failed: false
  })
  const resources = names.map((title): TimelineBar => ({ ...bar(title), part: 'resources' }))
  const text = timelineText({ ...report, timeline: [...resources, ...names.map(bar)] })
  const { bars, notDrawn } = await lookAt(browser, text, widths.desktop)
  expect(notDrawn).toEqual([])
  expect(bars).toHaveLength(2 * names.length)
})

test('what would be wrong is seen: a table and a block that are too wide, an empty head, a drawing that is none', async () => {
  const row = `| ${'x'.repeat(2000)} |`
  const wrong = `| |\n|---|\n${row}\n\n\`\`\`text\n${'y'.repeat(2000)}\n\`\`\`\n\n\`\`\`mermaid\ngantt\na : b : c\n\`\`\`\n`
  const looked = await lookAt(browser, wrong, widths.desktop)
  expect(looked.tooWide).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^table: xxx/) as unknown,
      expect.stringMatching(/^pre: yyy/) as unknown
    ])
  )
  expect([looked.emptyHeads.length, looked.notDrawn.length]).toEqual([1, 1])
})
