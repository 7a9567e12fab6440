import { blockOf } from '../../../../sandbox/cloud/moto/ec2/network.js'

/** First and last address of a block, as numbers. */
function range(block: string): readonly [number, number] {
  const [address = '', bits = ''] = block.split('/')
  const first = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  return [first, first + 2 ** (32 - Number(bits)) - 1]
}

describe("a cluster's subnets", () => {
  it('are /19 up to eight, as eksctl makes them', () => {
    expect([0, 1, 7].map((index) => blockOf(index, 8))).toEqual([
      '10.0.0.0/19',
      '10.0.32.0/19',
      '10.0.224.0/19'
    ])
  })

  it.each([1, 6, 9, 17, 100, 500, 4096])('%d of them lie side by side in the VPC', (count) => {
    const [from, to] = range('10.0.0.0/16')
    const ranges = Array.from({ length: count }, (_, index) => range(blockOf(index, count)))
    for (const [index, [first, last]] of ranges.entries()) {
      expect(first).toBe(index === 0 ? from : (ranges[index - 1]?.[1] ?? 0) + 1)
      expect(last).toBeLessThanOrEqual(to)
    }
  })

  it('of which there are more than fit are refused', () => {
    expect(() => blockOf(0, 4097)).toThrow('4097 subnets do not fit')
  })
})
