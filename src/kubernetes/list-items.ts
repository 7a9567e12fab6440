const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [34, 92, 123, 125, 91, 93]

/**
 * Reads a list as it comes, object by object, so that of a page of thousands no more than one object and what was picked
 * of the others is there at once.
 */
export class ListReader<P> {
  readonly #of: (item: unknown) => P
  readonly #itemsBegin: RegExp
  #items: P[] = []
  /** The list without its items, and the item that is being read. */
  #rest = ''
  #item = ''
  #depth = 0
  #inString = false
  #escaped = false
  #inItems = false
  /** Where in `#rest` the last string at the top of the list begins: the key of what follows. */
  #key = 0

  /** `field`: of the list, that holds the items; a Table's are its rows. */
  constructor(of: (item: unknown) => P, field: 'items' | 'rows' = 'items') {
    this.#of = of
    this.#itemsBegin = new RegExp(String.raw`^"${field}"\s*:\s*\[$`)
  }

  /** Forgets what was read: the answer comes anew. */
  restart(): void {
    this.#items = []
    this.#rest = ''
    this.#item = ''
    this.#depth = 0
    this.#inString = false
    this.#escaped = false
    this.#inItems = false
    this.#key = 0
  }

  push(text: string): void {
    let from = 0
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false
        else if (code === backslash) this.#escaped = true
        else if (code === quote) this.#inString = false
      } else if (code === quote) {
        this.#inString = true
        if (this.#depth === 1 && !this.#inItems) this.#key = this.#rest.length + at - from
      } else if (code === openBrace || code === openBracket) {
        this.#depth++
        if (this.#inItems && this.#depth === 3) from = at
        else if (!this.#inItems && this.#depth === 2 && code === openBracket) {
          this.#rest += text.slice(from, at + 1)
          from = at + 1
          this.#inItems = this.#itemsBegin.test(this.#rest.slice(this.#key))
        }
      } else if (code === closeBrace || code === closeBracket) {
        this.#depth--
        if (this.#inItems && this.#depth === 2) {
          this.#items.push(this.#of(JSON.parse(this.#item + text.slice(from, at + 1))))
          this.#item = ''
        }
        if (this.#inItems && this.#depth === 1) {
          this.#inItems = false
          from = at
        }
      }
    }
    if (!this.#inItems) this.#rest += text.slice(from)
    else if (this.#depth > 2) this.#item += text.slice(from)
  }

  /** What was picked of the items, and the list without them. Throws SyntaxError for what is no whole JSON. */
  end(): { readonly items: readonly P[]; readonly rest: unknown } {
    const rest: unknown = JSON.parse(this.#rest)
    return { items: this.#items, rest }
  }
}
