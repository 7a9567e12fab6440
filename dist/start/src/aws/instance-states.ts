import type { Aws } from './clients.js'

/** EC2's state names (`running`, `shutting-down`, `terminated`) by instance id; ids that EC2 no longer knows are left out. */
export function instanceStates(aws: Aws): (ids: readonly string[]) => Promise<ReadonlyMap<string, string>> {
  return async (ids) => {
    if (ids.length === 0) return new Map()
    const { paginateDescribeInstances } = await import('./sdk/ec2.js')
    const client = await aws.ec2()
    const states = new Map<string, string>()
    // A filter, not InstanceIds: one id that is gone would fail the whole call.
    const filters = [{ Name: 'instance-id', Values: [...ids] }]
    for await (const page of paginateDescribeInstances({ client }, { Filters: filters })) {
      for (const instance of page.Reservations?.flatMap((reservation) => reservation.Instances ?? []) ?? []) {
        states.set(instance.InstanceId ?? '', instance.State?.Name ?? '')
      }
    }
    return states
  }
}

/**
 * Why EC2 ended instances by itself, `Client.InvalidKMSKey.InvalidState: The KMS key ...`, by instance id; those that run,
 * or that somebody ended, are left out. Source: StateReason of DescribeInstances.
 */
export function instanceEnds(aws: Aws): (ids: readonly string[]) => Promise<ReadonlyMap<string, string>> {
  return async (ids) => {
    if (ids.length === 0) return new Map()
    const { paginateDescribeInstances } = await import('./sdk/ec2.js')
    const client = await aws.ec2()
    const ends = new Map<string, string>()
    const filters = [{ Name: 'instance-id', Values: [...ids] }]
    for await (const page of paginateDescribeInstances({ client }, { Filters: filters })) {
      for (const instance of page.Reservations?.flatMap((reservation) => reservation.Instances ?? []) ?? []) {
        const { Code: code = '', Message: message = '' } = instance.StateReason ?? {}
        const ended = /^(shutting-down|terminated)$/.test(instance.State?.Name ?? '')
        if (!ended || code === '' || /\.(UserInitiated|InstanceInitiated)/.test(code)) continue
        ends.set(instance.InstanceId ?? '', message.startsWith(code) ? message : `${code}: ${message}`)
      }
    }
    return ends
  }
}

/** `sg-1 (name)` for each security group, by instance id; instances that EC2 no longer knows are left out. */
export function instanceGroups(
  aws: Aws
): (ids: readonly string[]) => Promise<ReadonlyMap<string, readonly string[]>> {
  return async (ids) => {
    if (ids.length === 0) return new Map()
    const { paginateDescribeInstances } = await import('./sdk/ec2.js')
    const client = await aws.ec2()
    const groups = new Map<string, readonly string[]>()
    const filters = [{ Name: 'instance-id', Values: [...ids] }]
    for await (const page of paginateDescribeInstances({ client }, { Filters: filters })) {
      for (const instance of page.Reservations?.flatMap((reservation) => reservation.Instances ?? []) ?? []) {
        const of = instance.SecurityGroups ?? []
        groups.set(
          instance.InstanceId ?? '',
          of.map(({ GroupId = '', GroupName = '' }) => `${GroupId} (${GroupName})`)
        )
      }
    }
    return groups
  }
}
