import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import type { Page } from 'puppeteer-core'
import { isMap } from '../../src/engine/json.js'
import type { Browser } from './browser.js'

const file = createRequire(import.meta.url).resolve
const style = readFileSync(file('github-markdown-css/github-markdown-light.css'), 'utf8')
const inPage = join(dirname(fileURLToPath(import.meta.url)), 'in-page.js')
const mermaid = file('mermaid/dist/mermaid.min.js')

/** Pixels: GitHub's column, and a phone. */
export const widths = { desktop: 980, phone: 375 } as const

/** What a browser says of a page of ours. */
export interface Looked {
  /** Each table, block or other thing that reaches beyond its column, by its first words. */
  readonly tooWide: readonly string[]
  /** What Mermaid could not draw. */
  readonly notDrawn: readonly string[]
  /** Names of the bars of its drawings. */
  readonly bars: readonly string[]
  /** Tables whose head says nothing, by their first words. */
  readonly emptyHeads: readonly string[]
}

/** Shows Markdown as GitHub does, with everything unfolded, and looks at it. `picture`: path of a PNG to be written. */
export async function lookAt(
  browser: Browser,
  markdown: string,
  width: number,
  picture?: string
): Promise<Looked> {
  const { page, drawn } = await shown(browser, markdown, { width, unfolded: true })
  try {
    const seen: unknown = await page.evaluate('measure()')
    if (picture !== undefined) await page.screenshot({ path: picture, fullPage: true })
    const of = (name: keyof Looked): readonly string[] =>
      texts((isMap(seen) ? seen[name] : undefined) ?? (isMap(drawn) ? drawn[name] : undefined))
    return {
      tooWide: of('tooWide'),
      notDrawn: of('notDrawn'),
      bars: of('bars'),
      emptyHeads: of('emptyHeads')
    }
  } finally {
    await page.close()
  }
}

/** A picture of the first screen of a page, folded as a reader finds it. */
export async function photograph(browser: Browser, markdown: string, path: string): Promise<void> {
  const { page } = await shown(browser, markdown, { width: widths.desktop, unfolded: false })
  await page.screenshot({ path, clip: { x: 0, y: 0, width: widths.desktop, height: 890 } })
  await page.close()
}

async function shown(
  browser: Browser,
  markdown: string,
  { width, unfolded }: { readonly width: number; readonly unfolded: boolean }
): Promise<{ readonly page: Page; readonly drawn: unknown }> {
  const page = await browser.newPage()
  await page.setViewport({ width, height: 800 })
  await page.setContent(
    htmlOf(unfolded ? markdown.replaceAll('<details>', '<details open>') : markdown, width)
  )
  if (markdown.includes('```mermaid')) await page.addScriptTag({ path: mermaid })
  await page.addScriptTag({ path: inPage })
  return { page, drawn: await page.evaluate('draw()') }
}

function htmlOf(markdown: string, width: number): string {
  const body = micromark(markdown, {
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
    allowDangerousHtml: true
  })
  const padding = width < 768 ? 16 : 32
  return `<!doctype html><meta charset="utf-8"><style>${style} body { margin: 0; padding: ${padding}px }</style><article class="markdown-body">${body}</article>`
}

/** A list of texts out of the browser. */
function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}
