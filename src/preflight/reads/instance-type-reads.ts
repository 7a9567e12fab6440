import type { _InstanceType } from '@aws-sdk/client-ec2'
import type { Aws } from '../../aws/clients.js'
import { accessDenied, awsProblem } from '../../aws/errors.js'
import type { RequirementFacts } from '../nodes/node-pool-requirements.js'

/** ec2:DescribeInstanceTypeOfferings of the zones; several NodePools with the same question ask once. */
export function offeredTypes(aws: Aws): RequirementFacts['offered'] {
  return onceEach(async (zones: readonly string[], patterns: readonly string[]) => {
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
  })
}

/** ec2:DescribeInstanceTypes. */
export function describedTypes(aws: Aws): RequirementFacts['described'] {
  return onceEach(async (types: readonly _InstanceType[]) => {
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
  })
}

/** A read that asks once for each question, whoever puts it. */
export function onceEach<A extends readonly unknown[], T>(
  read: (...args: A) => Promise<T>
): (...args: A) => Promise<T> {
  const asked = new Map<string, Promise<T>>()
  return async (...args) => {
    const key = JSON.stringify(args)
    const answer = asked.get(key) ?? read(...args)
    asked.set(key, answer)
    return answer
  }
}
