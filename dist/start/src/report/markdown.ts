import { canonical } from '../engine/json.js'
import { oneLine } from '../engine/plain-text.js'

/**
 * Markdown of our own making. Whatever else is to stand in a summary, an issue or a comment is text, and text comes from
 * the cluster or the account: it is made harmless where it goes in, so that nothing has to be remembered.
 */
export interface Markdown {
  readonly markdown: string
}

export type Text = string | Markdown

export function markdown(ours: string): Markdown {
  return { markdown: ours }
}

/** A table; cells become one line each, and cannot break out of it. */
export function table(head: readonly Text[], rows: readonly (readonly Text[])[]): string {
  const line = (cells: readonly Text[]): string => `| ${cells.map(shown).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** A list, empty when there is nothing in it; what is beyond `most` is counted. */
export function list(title: string, lines: readonly Text[], most = 100): string {
  if (lines.length === 0) return ''
  const kept = lines.slice(0, most).map((line) => `- ${shown(line)}`)
  return [`### ${title}`, '', ...kept, ...moreThan(kept.length, lines.length)].join('\n')
}

/** The line for what is left out of a list. */
export function moreThan(shownCount: number, all: number): readonly string[] {
  return shownCount < all ? ['', `and ${all - shownCount} more (see the report)`] : []
}

/** Several beside each other. */
export function joined(texts: readonly Text[], separator: string): Markdown {
  return markdown(texts.map(shown).join(separator))
}

/** What stands in the page: text made harmless, Markdown as it is. */
export function shown(text: Text): string {
  return typeof text === 'string' ? literal(text) : text.markdown
}

/**
 * Text that others wrote, as text on one line: no HTML, table, emphasis, formula, image, link, mention or reference. What
 * Markdown, HTML or a table could take for its own is written as the number of its character; GitHub looks for mentions,
 * references and addresses after that, which a space of no width keeps apart.
 */
export function literal(text: string): string {
  // Five spaces at the beginning of a line of a list would make a block of code of it.
  return encoded(oneLine(text).trimStart())
    .replaceAll('&#64;', '&#64;&#8203;')
    .replaceAll('&#35;', '&#35;&#8203;')
    .replaceAll(/:(?=\/\/)/g, ':&#8203;')
    .replaceAll(/\b(www)\.|\b(GH)-/gi, (found) => `${found.slice(0, -1)}&#8203;${found.slice(-1)}`)
    .replace(/^\s*(?=(?:[-+]|\d+[.)])(?:\s|$))/, '&#8203;')
}

/**
 * Text as a value, to be copied: between backticks, where nothing is taken for Markdown, mention or link. Text that could
 * end them, or its cell, is written in numbers; there GitHub still makes a link of an address.
 */
export function code(text: string): Markdown {
  const line = oneLine(text)
  return /[`|\\]|^\s|\s$|^$/.test(line) ? markdown(codeElement(line)) : markdown(`\`${line}\``)
}

function codeElement(line: string): string {
  const address = /:(?=\/\/)|\bwww\./gi
  const inside = encoded(line).replaceAll(address, (found) =>
    found === ':' ? '&#58;' : `${found.slice(0, -1)}&#46;`
  )
  return `<code>${inside}</code>`
}

/**
 * A sentence as `literal` has it, in which what stands between backticks is shown as code. It is as harmless whoever wrote
 * it, and reads the same where HTML alone is read.
 */
export function prose(text: string): string {
  return oneLine(text)
    .split(/`([^`]+)`/)
    .map((part, index) => {
      if (index % 2 === 1) return codeElement(part)
      return index > 0 && /^\s/.test(part) ? ` ${literal(part)}` : literal(part)
    })
    .join('')
}

/** Text in bold; nothing where there is nothing to be seen. */
export function bold(text: string): string {
  const inside = literal(text).trimEnd()
  return inside === '' ? '' : `**${inside}**`
}

/** A value of any kind, its keys in order; cut where it is long. */
export function value(of: unknown): Markdown {
  if (of === undefined) return markdown('')
  const text = typeof of === 'string' ? of : canonical(of)
  if (text.trim() === '') return code(JSON.stringify(text))
  return code(cut(text, 160))
}

export function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 3)}...` : text
}

export function seconds(value: number): string {
  return value < 120 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`
}

function encoded(text: string): string {
  return text.replaceAll(/[&<>\\`*_[\]~|@#!$]/g, (character) => `&#${character.charCodeAt(0)};`)
}
