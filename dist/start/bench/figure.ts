/** Something that was measured, beside what it may be at most. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly limit: number
  /** ms, MB, s; empty for counts. */
  readonly unit: string
  /** What the number is made of, in a few words. */
  readonly detail?: string
}

export function isWithin(figure: Figure): boolean {
  return figure.value <= figure.limit
}

/** `ok      Process start to first API call: 154 ms (at most 200 ms); median of 11` */
export function figureLine(figure: Figure): string {
  const unit = figure.unit === '' ? '' : ` ${figure.unit}`
  const detail = figure.detail === undefined ? '' : `; ${figure.detail}`
  const verdict = isWithin(figure) ? 'ok    ' : 'NOT OK'
  return `${verdict}  ${figure.name}: ${shown(figure.value)}${unit} (at most ${figure.limit}${unit})${detail}`
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1)
}
