/** Values that the runner replaces by *** wherever it shows text. */
export class Masks {
  readonly #values = new Set<string>()

  /** A value of several lines is masked as a whole and line by line; its JSON and URI forms are masked too. */
  add(value: string): void {
    for (const part of [value, ...value.split(/\r?\n/)]) {
      if (part.trim() === '') {
        continue
      }
      this.#values.add(part)
      this.#values.add(JSON.stringify(part).slice(1, -1))
      this.#values.add(encodeURIComponent(part))
    }
  }

  get values(): readonly string[] {
    return [...this.#values]
  }

  /** The text with every masked value replaced, the longest first, so that no tail of a longer one stays. */
  apply(text: string): string {
    let masked = text
    for (const value of [...this.#values].sort((one, other) => other.length - one.length)) {
      masked = masked.replaceAll(value, '***')
    }
    return masked
  }
}
