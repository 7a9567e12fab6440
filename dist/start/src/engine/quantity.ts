/** Powers of ten; JavaScript reads a decimal text with an exponent exactly, while a product would be rounded twice. */
const decimal: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18
}
const binary: Readonly<Record<string, number>> = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60
}

/** Value of a Kubernetes quantity (`1`, `500m`, `1Gi`), or undefined when the text is none. Source: apimachinery resource.Quantity. */
export function quantity(text: string | number): number | undefined {
  const parts = /^([+-]?(?:\d+\.?\d*|\.\d+))(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?$/.exec(
    String(text)
  )
  if (parts?.[1] === undefined) return undefined
  const suffix = parts[2] ?? ''
  const scale = binary[suffix]
  if (scale !== undefined) return Number(parts[1]) * scale
  const exponent = decimal[suffix]
  return Number(exponent === undefined ? `${parts[1]}${suffix}` : `${parts[1]}e${exponent}`)
}

const units: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600
}

/** Seconds of a Go duration (`720h`, `1h30m`, `0s`), or undefined when the text is none. Source: Go time.ParseDuration. */
export function duration(text: string): number | undefined {
  if (text === '0') return 0
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  let seconds = 0
  for (const part of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    seconds += Number(part[1]) * (units[part[2] ?? ''] ?? 0)
  return seconds
}
