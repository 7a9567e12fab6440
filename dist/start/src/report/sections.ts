/** A part of a page as Markdown: what is cut is cut between its blocks. */
export interface Section {
  /** The blocks are folded under it. */
  readonly title?: string
  readonly blocks: readonly string[]
}

/** The sections as far as `room` bytes of UTF-8 go, and how many blocks did not fit. */
export function sectionsText(
  sections: readonly Section[],
  room: number
): { readonly text: string; readonly left: number } {
  let used = 0
  let left = 0
  const parts: string[] = []
  for (const { title, blocks } of sections) {
    used += title === undefined ? 2 : folded(title, '').length + 2
    const kept = blocks.filter((block) => {
      const size = Buffer.byteLength(block) + 1
      // What comes after the first that does not fit is left out too: a page with holes reads as a whole one.
      if (left > 0 || used + size > room) {
        left += 1
        return false
      }
      used += size
      return true
    })
    const text = kept.join('\n')
    if (kept.length > 0) parts.push(title === undefined ? text : folded(title, text))
  }
  return { text: parts.join('\n\n'), left }
}

/** The same with a line for what did not fit. */
export function fitting(sections: readonly Section[], room: number): string {
  const { text, left } = sectionsText(sections, room)
  return left === 0 ? text : `${text}\n\nand ${left} more (see the report)`
}

/** The first blocks open, the others folded under how many they are. */
export function opening(blocks: readonly string[], open: number): readonly Section[] {
  const rest = blocks.slice(open)
  return [
    { blocks: blocks.slice(0, open) },
    ...(rest.length === 0 ? [] : [{ title: `${rest.length} more`, blocks: rest }])
  ]
}

/** Markdown of ours that is open only when it is asked for. */
export function folded(title: string, text: string): string {
  return `<details><summary>${title}</summary>\n\n${text}\n\n</details>`
}
