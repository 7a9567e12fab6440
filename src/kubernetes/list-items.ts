import { kindOfAnswer } from './answer.js'

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket, colon] = [
  34, 92, 123, 125, 91, 93, 58
]

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
  #hasItems = false
  /** Where in `#rest` the last string at the top of the list begins: the key of what follows. */
  #key = 0
  readonly #without: readonly string[]
  /** Depth at which what is passed over ends. */
  #passing: number | undefined

  /**
   * `field`: of the list, that holds the items; a Table's are its rows. `without`: names of lists and objects in the items
   * that are passed over, so that they are never made; null stands in their place, or the whole where a name was split.
   */
  constructor(of: (item: unknown) => P, field: 'items' | 'rows' = 'items', without: readonly string[] = []) {
    this.#of = of
    this.#without = without.map((name) => `"${name}"`)
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
    this.#hasItems = false
    this.#key = 0
    this.#passing = undefined
  }

  push(text: string): void {
    let from = 0
    for (let at = 0; at < text.length; at++) {
      if (this.#inString) {
        at = this.#stringEnd(text, at)
        continue
      }
      const code = text.charCodeAt(at)
      if (code === quote) {
        this.#inString = true
        if (this.#depth === 1 && !this.#inItems) this.#key = this.#rest.length + at - from
      } else if (code === colon) {
        if (this.#inItems && this.#passing === undefined && this.#isLeftOut(text, at)) {
          this.#item += `${text.slice(from, at)}:null`
          this.#passing = this.#depth
        }
      } else if (code === openBrace || code === openBracket) {
        this.#depth++
        if (this.#inItems && this.#depth === 3) from = at
        else if (!this.#inItems && this.#depth === 2 && code === openBracket) {
          this.#rest += text.slice(from, at + 1)
          from = at + 1
          this.#inItems = this.#itemsBegin.test(this.#rest.slice(this.#key))
          this.#hasItems ||= this.#inItems
        }
      } else if (code === closeBrace || code === closeBracket) {
        this.#depth--
        if (this.#passing === this.#depth) {
          this.#passing = undefined
          from = at + 1
        }
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
    else if (this.#depth > 2 && this.#passing === undefined) this.#item += text.slice(from)
  }

  /** Where the string that is open ends; past the text where it does not. Most of a list is strings: they are leapt over. */
  #stringEnd(text: string, from: number): number {
    let at = this.#escaped ? from + 1 : from
    this.#escaped = false
    for (;;) {
      const found = text.indexOf('"', at)
      const end = found < 0 ? text.length : found
      let slashes = 0
      while (end - slashes > at && text.charCodeAt(end - slashes - 1) === backslash) slashes++
      const escapes = slashes % 2 === 1
      if (found < 0) this.#escaped = escapes
      else if (!escapes) this.#inString = false
      if (found < 0 || !escapes) return end
      at = end + 1
    }
  }

  /** Whether a name that ends here is one of those, and what follows in the same breath is a list or an object. */
  #isLeftOut(text: string, at: number): boolean {
    const next = text.charCodeAt(at + 1)
    if (next !== openBracket && next !== openBrace) return false
    return this.#without.some((name) => text.startsWith(name, at - name.length))
  }

  /** Throws SyntaxError for what is no whole JSON, or no list: an answer that says nothing would be one that says "none". */
  finish(): void {
    const kind = kindOfAnswer(this.#rest)
    // Of none it may be null.
    if (!this.#hasItems && !/(List|^Table)$/.test(kind))
      throw new SyntaxError(`it is ${kind || 'of no kind'}, and no list`)
  }

  /** What was picked of the items, and the list without them. Throws SyntaxError for what is no whole JSON. */
  end(): { readonly items: readonly P[]; readonly rest: unknown } {
    const rest: unknown = JSON.parse(this.#rest)
    return { items: this.#items, rest }
  }
}
