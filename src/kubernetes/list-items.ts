/** A page of a list: what was picked of its objects, and the page without them. */
export interface PickedPage<P> {
  readonly items: readonly P[]
  /** kind, apiVersion and metadata of the list. */
  readonly rest: unknown
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [34, 92, 123, 125, 91, 93]

/**
 * Reads a list object by object, so that of a page of thousands no more than one is there beside its text. Text that is no
 * JSON is JSON.parse's SyntaxError, as for a page that is read whole.
 */
export function pickItems<P>(text: string, of: (item: unknown) => P): PickedPage<P> {
  const items: P[] = []
  let depth = 0
  let inItems = false
  let from = 0
  let bounds: readonly [number, number] = [0, 0]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      const end = endOfString(text, at)
      if (depth === 1 && !inItems && text.startsWith('"items":[', at)) {
        inItems = true
        bounds = [end + 3, end + 3]
      }
      at = end
    } else if (code === openBrace || code === openBracket) {
      depth++
      if (inItems && depth === 3) from = at
    } else if (code === closeBrace || code === closeBracket) {
      depth--
      if (inItems && depth === 2) items.push(of(JSON.parse(text.slice(from, at + 1))))
      if (inItems && depth === 1) {
        inItems = false
        bounds = [bounds[0], at]
      }
    }
  }
  const rest: unknown = JSON.parse(text.slice(0, bounds[0]) + text.slice(bounds[1]))
  return { items, rest }
}

/** Where the string that begins here ends. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes++
    if (escapes % 2 === 0) return end
  }
  return text.length
}
