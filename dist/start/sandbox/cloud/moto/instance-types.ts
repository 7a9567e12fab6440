/**
 * The instance types that the sandbox has, with on-demand dollars an hour as in us-east-1: they decide which of a fleet's
 * choices is the cheapest. moto's own list of all types takes seconds to answer.
 */
export const instanceTypePrices: ReadonlyMap<string, number> = new Map([
  ['t3.medium', 0.0416],
  ['t3.large', 0.0832],
  ['c5.large', 0.085],
  ['c5.xlarge', 0.17],
  ['c5.2xlarge', 0.34],
  ['c6i.large', 0.085],
  ['c6i.xlarge', 0.17],
  ['c6i.2xlarge', 0.34],
  ['c6i.4xlarge', 0.68],
  ['m5.large', 0.096],
  ['m5.xlarge', 0.192],
  ['m5.2xlarge', 0.384],
  ['m6i.large', 0.096],
  ['m6i.xlarge', 0.192],
  ['m6i.2xlarge', 0.384],
  ['m6i.4xlarge', 0.768],
  ['r6i.large', 0.126],
  ['r6i.xlarge', 0.252],
  ['r6i.2xlarge', 0.504],
  ['c6g.large', 0.068],
  ['c6g.xlarge', 0.136],
  ['m6g.medium', 0.0385],
  ['m6g.large', 0.077],
  ['m6g.xlarge', 0.154]
])

/** What a type costs on the spot market, dollars an hour: the same share of the on-demand price everywhere. */
export function spotPrice(type: string): number {
  return (instanceTypePrices.get(type) ?? 1) * 0.35
}
