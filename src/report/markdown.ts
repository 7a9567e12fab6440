import { stripVTControlCharacters } from 'node:util'

/** A table; cells become one line each, and cannot break out of it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => plain(cell).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** A list, empty when there is nothing in it; what is beyond `most` is counted. */
export function list(title: string, lines: readonly string[], most = 100): string {
  if (lines.length === 0) return ''
  const shown = lines.slice(0, most).map((line) => `- ${line}`)
  return [`### ${title}`, '', ...shown, ...moreThan(shown.length, lines.length)].join('\n')
}

/** The line for what is left out of a list. */
export function moreThan(shown: number, all: number): readonly string[] {
  return shown < all ? ['', `and ${all - shown} more (see the report)`] : []
}

/** One line without the terminal's colours. A carriage return alone ends a line of Markdown as well. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/\r\n?|[\n\u2028\u2029]/g, ' ')
}

/** Text that others wrote, as text: no HTML, no mention, no emphasis. */
export function literal(text: string): string {
  return plain(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_[\]~]/g, (character) => `\\${character}`)
    .replaceAll('@', '@<!-- -->')
}

export function fenced(text: string): string {
  return `\`\`\`text\n${text.replaceAll('```', "'''")}\n\`\`\``
}

export function code(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``
}

/** A value of any kind in a cell; cut where it is long. */
export function value(of: unknown): string {
  if (of === undefined) return ''
  const text = typeof of === 'string' ? of : JSON.stringify(of)
  const shown = plain(text)
  if (shown.trim() === '') return code(JSON.stringify(shown))
  return code(shown.length > 160 ? `${shown.slice(0, 157)}...` : shown)
}

export function seconds(value: number): string {
  return value < 120 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`
}
