import { bold, cut, prose } from './markdown.js'

/** What comes after the first sentence is folded where the whole is longer. */
const longestOpen = 200
const longestText = 2_000

/** Advice as one line of Markdown: the first sentence is seen, what follows is folded, a line a sentence. */
export function adviceText(text: string): string {
  const [first = '', ...rest] = sentences(cut(text, longestText))
  if (rest.length === 0 || text.length <= longestOpen) return prose(cut(text, longestText))
  return foldedLine(prose(first), rest.map(prose))
}

/** Lines that are folded, all on one line of Markdown, so that it can stand in a list. The texts are Markdown already. */
function foldedLine(title: string, lines: readonly string[]): string {
  return `<details><summary>${title}</summary>${lines.join('<br>')}</details>`
}

/** A sentence ends before a blank that a capital letter or a quoted name follows. */
function sentences(text: string): readonly string[] {
  return text
    .split(/\n|(?<=[.!?])\s+(?=[A-Z`"])/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')
}

/**
 * The text of an error as a quotation: the resource at fault in bold, a paragraph a line, points as points. No line of it is
 * wider than its page, as one of a block of code is.
 */
export function errorQuote(error: string): string {
  const lines = error.split('\n').flatMap((line) => {
    const text = line.trim()
    if (text === '') return ['']
    return text.startsWith('- ') ? [`- ${prose(text.slice(2))}`] : ['', atFault(text)]
  })
  return lines
    .join('\n')
    .replace(/^\n+/, '')
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n')
}

/** `setup-karpenter: subnets: none is free`: who speaks is known here. */
function atFault(line: string): string {
  const [, at, rest] = /^setup-karpenter: ([^:\n]{1,120}): (.*)$/.exec(line) ?? []
  return at === undefined ? prose(line) : `${bold(at)}: ${prose(rest ?? '')}`
}
