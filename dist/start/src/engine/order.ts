/** Sorts by a text, character by character. localeCompare reads locale data for 20 ms first, and differs by machine. */
export function byText<T>(of: (one: T) => string): (one: T, other: T) => number {
  return (one, other) => compareText(of(one), of(other))
}

export function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
