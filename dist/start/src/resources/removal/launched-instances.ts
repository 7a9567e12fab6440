import type { Aws } from '../../aws/clients.js'
import { awsProblem, liveOf } from '../../aws/errors.js'
import { launchedInstances as readInstances, type LaunchedInstance } from '../../aws/karpenter-instances.js'
import { isMap } from '../../engine/json.js'
import type { Owner } from '../../engine/owner.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { KubernetesError } from '../../kubernetes/errors.js'
import { nodeClaims, nodePools } from '../../kubernetes/kinds.js'
import type { Manifest } from '../../kubernetes/manifest.js'
import { endInstances, instanceOf } from './forced-removal.js'
import { namedFew, whenTimeIsUp } from './stuck-removal.js'
import { UserError } from '../../engine/errors.js'
import { idOf } from '../ids.js'

export interface LaunchedInstancesWanted {
  readonly clusterName: string
  /** NodePools that are removed. */
  readonly nodePools: readonly string[]
}

export interface LaunchedInstancesPorts {
  readonly aws: Aws
  readonly kubernetes: Kubernetes
  /** Whether a NodePool that is there goes. */
  readonly goes: (pool: Manifest) => boolean
  readonly dependsOn: readonly string[]
}

interface Live {
  readonly ours: readonly LaunchedInstance[]
  /** Of NodePools that we leave. */
  readonly others: readonly LaunchedInstance[]
}

const title = 'EC2 instances of Karpenter'

/**
 * Instances that Karpenter launched, in every state but terminated: nothing that they work with goes before they are gone.
 * Part of a removal only. An instance that no NodeClaim stands for any more is ended by nobody but us.
 */
export function launchedInstances(
  wanted: LaunchedInstancesWanted,
  ports: LaunchedInstancesPorts
): AnyResource {
  const { aws, kubernetes, goes } = ports

  async function read(signal: AbortSignal): Promise<Live> {
    const [instances, pools] = await Promise.all([
      readInstances(aws, wanted.clusterName),
      kubernetes.within(signal).pick(nodePools, (pool) => (goes(pool) ? undefined : pool.metadata.name))
    ])
    const foreign = new Set(pools.items)
    const isRemoved = ({ nodePool }: LaunchedInstance): boolean =>
      wanted.nodePools.includes(nodePool) && !foreign.has(nodePool)
    return {
      ours: instances.filter(isRemoved),
      others: instances.filter((instance) => !isRemoved(instance))
    }
  }

  async function remove(live: Live, step: Step): Promise<Removal> {
    const seen = { live }
    const ended = new Set<string>()
    try {
      for (let pause = 1_000; seen.live.ours.length > 0; pause = Math.min(pause * 1.5, 5_000)) {
        const stray = await strays(seen.live.ours, ended, step)
        if (stray.length > 0) {
          step.note(`no NodeClaim stands for ${stray.map(text).join(', ')}, so nobody else would end them`)
          await endInstances(
            aws,
            stray.map(({ id }) => id),
            step
          )
          for (const { id } of stray) ended.add(id)
        }
        step.waiting(`${seen.live.ours.length} EC2 instances to end: ${namedFew(seen.live.ours.map(text))}`)
        await step.pause(pause)
        seen.live = await reading(step)
      }
    } catch (error) {
      throw whenTimeIsUp(error, step, () => timeIsUp(seen.live.ours, step))
    } finally {
      step.waiting(undefined)
    }
    return { outcome: 'removed' }
  }

  async function reading(step: Step): Promise<Live> {
    try {
      return await read(step.signal)
    } catch (error) {
      if (error instanceof KubernetesError) throw error
      step.signal.throwIfAborted()
      throw awsProblem(title, 'could not be listed', error)
    }
  }

  /** Instances that run on without a NodeClaim. Those that stand for one are Karpenter's to end. */
  async function strays(
    instances: readonly LaunchedInstance[],
    ended: ReadonlySet<string>,
    step: Step
  ): Promise<readonly LaunchedInstance[]> {
    const running = instances.filter(({ id, state }) => state !== 'shutting-down' && !ended.has(id))
    if (running.length === 0) return []
    const claims = await kubernetes.within(step.signal).pick(nodeClaims, (claim) => instanceOf(claim))
    const claimed = new Set(claims.items)
    return running.filter(({ id }) => !claimed.has(id))
  }

  return resource<LaunchedInstancesWanted, Live>(
    {
      id: idOf.instances,
      layer: 'karpenter',
      title,
      dependsOn: ports.dependsOn,
      wanted,
      read: async (signal) => {
        const live = await liveOf(title, async () => read(signal))
        const none = live.state === 'present' && live.value.ours.length + live.value.others.length === 0
        return none ? { state: 'absent' } : live
      },
      compare: () => [],
      absent: () => [],
      apply: async () => undefined,
      sign: { by: 'mark', mark: ownerOf },
      present: ({ ours, others }) => [...ours, ...others].map(titleOf),
      remove
    },
    (value): value is LaunchedInstancesWanted => isMap(value) && Array.isArray(value['nodePools'])
  )
}

function titleOf(instance: LaunchedInstance): string {
  return `EC2 instance ${text(instance)}`
}

function ownerOf({ others }: Live, name: string): Owner {
  const other = others.find((one) => titleOf(one) === name)
  return other === undefined
    ? { kind: 'ours' }
    : {
        kind: 'other',
        who: `NodePool ${other.nodePool}`,
        evidence: [`tag karpenter.sh/nodepool=${other.nodePool}`]
      }
}

function timeIsUp(left: readonly LaunchedInstance[], step: Step): UserError {
  return new UserError(
    title,
    `had not ended when the run's time was up: ${left.map(text).join(', ')}`,
    'Run again with a longer `timeout`; an instance that is stopping or shutting down needs minutes at most, one that runs can be looked at with aws ec2 describe-instances.',
    { cause: step.signal.reason }
  )
}

/** `i-0ab1 (running, NodePool default)`. */
function text({ id, state, nodePool }: LaunchedInstance): string {
  return `${id} (${state}, NodePool ${nodePool})`
}
