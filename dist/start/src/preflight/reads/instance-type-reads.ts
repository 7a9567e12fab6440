import type { _InstanceType, InstanceTypeInfo } from '@aws-sdk/client-ec2'
import type { Aws } from '../../aws/clients.js'
import { accessDenied, awsProblem } from '../../aws/errors.js'

/** Names of the types that are offered in any of the zones, of those that a pattern takes in; `denied` when not known. */
export type OfferedTypes = (
  zones: readonly string[],
  patterns: readonly string[]
) => Promise<readonly _InstanceType[] | 'denied'>

/** ec2:DescribeInstanceTypeOfferings of the zones. */
export function offeredTypes(aws: Aws): OfferedTypes {
  return async (zones, patterns) => {
    const { paginateDescribeInstanceTypeOfferings } = await import('../../aws/sdk/ec2.js')
    const types = new Set<_InstanceType>()
    try {
      const pages = paginateDescribeInstanceTypeOfferings(
        { client: await aws.ec2() },
        {
          LocationType: 'availability-zone',
          Filters: [
            { Name: 'location', Values: [...zones] },
            ...(patterns.length === 0 ? [] : [{ Name: 'instance-type', Values: [...patterns] }])
          ],
          MaxResults: 1000
        }
      )
      for await (const { InstanceTypeOfferings = [] } of pages) {
        for (const { InstanceType } of InstanceTypeOfferings)
          if (InstanceType !== undefined) types.add(InstanceType)
      }
    } catch (error) {
      if (accessDenied(error) !== undefined) return 'denied'
      throw awsProblem('node-pools', 'offered instance types could not be read', error)
    }
    return [...types].toSorted()
  }
}

/** ec2:DescribeInstanceTypes takes no more names. */
export const describedAtOnce = 100

/** At most `describedAtOnce` types. */
export type DescribedTypes = (
  types: readonly _InstanceType[]
) => Promise<readonly InstanceTypeInfo[] | 'denied'>

/** ec2:DescribeInstanceTypes. */
export function describedTypes(aws: Aws): DescribedTypes {
  return async (types) => {
    const { DescribeInstanceTypesCommand } = await import('../../aws/sdk/ec2.js')
    const ec2 = await aws.ec2()
    try {
      const { InstanceTypes = [] } = await ec2.send(
        new DescribeInstanceTypesCommand({ InstanceTypes: [...types] })
      )
      return InstanceTypes
    } catch (error) {
      if (accessDenied(error) !== undefined) return 'denied'
      throw awsProblem('node-pools', 'instance types could not be read', error)
    }
  }
}
