const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  m: 0.001,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4
}

/** A Kubernetes quantity (1, 500m, 1Gi) as a number. Throws on anything else. */
export function quantityOf(value: string): number {
  const [, digits, unit = ''] = /^([0-9.]+)([A-Za-z]*)$/.exec(value) ?? []
  const factor = UNITS[unit]
  if (digits === undefined || factor === undefined) {
    throw new Error(`${value}: no quantity`)
  }
  return Number(digits) * factor
}
