import { byText } from '../engine/order.js'
import type { Filter, Instance } from '@aws-sdk/client-ec2'
import type { Aws } from './clients.js'
import { tagsOf } from './discover.js'
import { isNotFound } from './errors.js'

/** An EC2 instance that Karpenter launched for this cluster. */
export interface LaunchedInstance {
  readonly id: string
  /** pending, running, stopping, stopped, shutting-down */
  readonly state: string
  /** By its tag karpenter.sh/nodepool. */
  readonly nodePool: string
  readonly nodeClaim: string | undefined
}

export const nodePoolTag = 'karpenter.sh/nodepool'
export const nodeClassTag = 'karpenter.k8s.aws/ec2nodeclass'

/**
 * What Karpenter's things are found by, two filters whose results are put together: `eks:eks-cluster-name` is on them
 * since 1.1, `kubernetes.io/cluster/<cluster>` on those of 1.0 as well (Karpenter's tagging, 1.0 to 1.14).
 */
export function clusterFilters(clusterName: string, tagKey: string): readonly Filter[][] {
  const byKey = { Name: 'tag-key', Values: [tagKey] }
  return [
    [{ Name: 'tag:eks:eks-cluster-name', Values: [clusterName] }, byKey],
    [{ Name: `tag:kubernetes.io/cluster/${clusterName}`, Values: ['owned'] }, byKey]
  ]
}

/** Every state but terminated: EC2 shows ended instances for an hour. */
const alive = ['pending', 'running', 'shutting-down', 'stopping', 'stopped']

/** Instances that Karpenter launched for the cluster and that EC2 has not ended. Rejects as EC2 does. */
export async function launchedInstances(aws: Aws, clusterName: string): Promise<readonly LaunchedInstance[]> {
  const { paginateDescribeInstances } = await import('./sdk/ec2.js')
  const client = await aws.ec2()
  const state = { Name: 'instance-state-name', Values: alive }
  const found = new Map<string, LaunchedInstance>()
  await Promise.all(
    clusterFilters(clusterName, nodePoolTag).map(async (filters) => {
      for await (const page of paginateDescribeInstances({ client }, { Filters: [...filters, state] })) {
        const instances = page.Reservations?.flatMap((reservation) => reservation.Instances ?? []) ?? []
        for (const instance of instances) found.set(instance.InstanceId ?? '', launched(instance))
      }
    })
  )
  return [...found.values()].sort(byText(({ id }) => id))
}

function launched(instance: Instance): LaunchedInstance {
  const tags = tagsOf(instance.Tags)
  return {
    id: instance.InstanceId ?? '',
    state: instance.State?.Name ?? '',
    nodePool: tags[nodePoolTag] ?? '',
    nodeClaim: tags['karpenter.sh/nodeclaim']
  }
}

/** Instances of one TerminateInstances call: EC2 takes a thousand, and one that cannot end fails the call for its zone. */
const batch = 100

/** Asks EC2 to end instances; those that are gone already are no error. Rejects as EC2 does. */
export async function terminateInstances(aws: Aws, ids: readonly string[]): Promise<void> {
  const { TerminateInstancesCommand } = await import('./sdk/ec2.js')
  const ec2 = await aws.ec2()
  for (let at = 0; at < ids.length; at += batch) {
    const some = ids.slice(at, at + batch)
    try {
      await ec2.send(new TerminateInstancesCommand({ InstanceIds: some }))
    } catch (error) {
      if (!isNotFound(error)) throw error
      // One id that EC2 has forgotten fails the whole call: each for itself.
      if (some.length === 1) continue
      for (const id of some) await terminateInstances(aws, [id])
    }
  }
}
