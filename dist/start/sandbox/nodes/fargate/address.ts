/** EC2 instances get the low addresses of a subnet; Fargate's nodes here those from this one on. */
const FIRST = 1024

/** The address of the nth node of a subnet (10.0.96.0/19); starts anew when the subnet has no more. */
export function addressIn(cidr: string, nth: number): string {
  const [network = '', bits = '32'] = cidr.split('/')
  const size = 2 ** (32 - Number(bits))
  const offset = size > 2 * FIRST ? FIRST + (nth % (size - FIRST - 1)) : 4 + (nth % Math.max(1, size - 5))
  const base = network.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  return [24, 16, 8, 0].map((shift) => Math.floor((base + offset) / 2 ** shift) % 256).join('.')
}
