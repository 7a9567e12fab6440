import type { Aws } from '../../aws/clients.js'
import { awsProblem, liveOf } from '../../aws/errors.js'
import {
  deleteLaunchThing,
  instanceProfiles,
  launchTemplates,
  looseInterfaces,
  looseVolumes,
  type LaunchThing
} from '../../aws/launch-leftovers.js'
import { readRole } from '../../aws/iam-role.js'
import { isOurs as isTagged } from '../../aws/ownership-tags.js'
import { UserError } from '../../engine/errors.js'
import { isMap } from '../../engine/json.js'
import type { Owner } from '../../engine/owner.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { ec2NodeClasses, nodePools } from '../../kubernetes/kinds.js'
import type { Manifest } from '../../kubernetes/manifest.js'
import { idOf } from '../ids.js'

export interface LaunchLeftoversWanted {
  readonly clusterName: string
  readonly region: string
  readonly nodeRoleName: string
  /** What is removed: only things of these are touched. */
  readonly nodePools: readonly string[]
  readonly nodeClasses: readonly string[]
}

export interface LaunchLeftoversPorts {
  readonly aws: Aws
  readonly kubernetes: Kubernetes
  /** Whether a NodePool or EC2NodeClass that is there goes. */
  readonly goes: (object: Manifest) => boolean
  readonly dependsOn: readonly string[]
}

interface Live {
  readonly ours: readonly LaunchThing[]
  /** Found in the same places, and of something that we leave. */
  readonly others: readonly LaunchThing[]
}

const title = 'Launch templates, instance profiles, interfaces and volumes of Karpenter'

/**
 * What Karpenter made in AWS for its instances and did not clean away: it holds the stack's node role, or costs. Part of a
 * removal only. Never a security group, a subnet or a key pair: Karpenter makes none.
 */
export function launchLeftovers(wanted: LaunchLeftoversWanted, ports: LaunchLeftoversPorts): AnyResource {
  const { aws, kubernetes, goes } = ports

  const foreignName = (object: Manifest): string | undefined =>
    goes(object) ? undefined : `${object.kind} ${object.metadata.name}`

  async function read(signal: AbortSignal): Promise<Live | undefined> {
    const within = kubernetes.within(signal)
    const [pools, classes, ...things] = await Promise.all([
      within.pick(nodePools, foreignName),
      within.pick(ec2NodeClasses, foreignName),
      launchTemplates(aws, wanted.clusterName),
      instanceProfiles(aws, wanted),
      looseInterfaces(aws, wanted.clusterName),
      looseVolumes(aws, wanted.clusterName)
    ])
    const foreign = new Set([...pools.items, ...classes.items])
    const isRemoved = (one: LaunchThing): boolean => {
      const { kind, name } = makerOf(one)
      const names = kind === 'EC2NodeClass' ? wanted.nodeClasses : wanted.nodePools
      return one.ofCluster && name !== undefined && names.includes(name) && !foreign.has(`${kind} ${name}`)
    }
    const all = things.flat()
    if (all.length === 0) return undefined
    return { ours: all.filter(isRemoved), others: all.filter((one) => !isRemoved(one)) }
  }

  async function remove({ ours }: Live, step: Step): Promise<Removal> {
    for (const one of ours) {
      step.waiting(`${one.kind} ${one.id} to go`)
      await deleteLaunchThing(aws, one, step).catch((error: unknown) => {
        throw awsProblem(title, `${one.kind} ${one.id} could not be deleted`, error)
      })
      step.changed(`deleted ${one.kind} ${one.id}, which Karpenter had left`)
    }
    step.waiting(undefined)
    return { outcome: 'removed' }
  }

  /** IAM deletes no role that an instance profile holds: the stack would end half deleted. */
  async function refuseHeldRole(others: readonly LaunchThing[]): Promise<void> {
    const { clusterName, nodeRoleName } = wanted
    const holders = others.filter(({ roles }) => roles.includes(nodeRoleName)).map(({ id }) => id)
    const [first] = holders
    if (first === undefined || !isTagged((await readRole(aws, nodeRoleName)).tags, clusterName)) return
    throw new UserError(
      `Node role ${nodeRoleName}`,
      `instance profiles ${holders.join(', ')} hold it and are not Karpenter's, so IAM would not delete it`,
      `Give them another role, then run again: aws iam remove-role-from-instance-profile --instance-profile-name ${first} --role-name ${nodeRoleName}`,
      { state: 'The stack was left as it is.' }
    )
  }

  return resource<LaunchLeftoversWanted, Live>(
    {
      id: idOf.leftovers,
      layer: 'karpenter',
      title,
      dependsOn: ports.dependsOn,
      wanted,
      read: async (signal) => liveOf(title, async () => read(signal)),
      compare: () => [],
      absent: () => [],
      apply: async () => undefined,
      sign: { by: 'mark', mark: ownerOf },
      present: ({ ours, others }) => [...ours, ...others].map(titleOf),
      remove,
      afterRemoval: async ({ live }) => {
        if (live.state === 'present') await refuseHeldRole(live.value.others)
      }
    },
    (value): value is LaunchLeftoversWanted => isMap(value) && Array.isArray(value['nodeClasses'])
  )
}

function titleOf({ kind, id }: LaunchThing): string {
  return `${kind} ${id}`
}

/** Launch templates and profiles are a class's; that one of its NodePools is tagged on them says nothing. */
function makerOf(one: LaunchThing): { readonly kind: string; readonly name: string | undefined } {
  return one.kind === 'launch template' || one.kind === 'instance profile'
    ? { kind: 'EC2NodeClass', name: one.nodeClass }
    : { kind: 'NodePool', name: one.nodePool }
}

function ownerOf({ others }: Live, title: string): Owner {
  const other = others.find((one) => titleOf(one) === title)
  if (other === undefined) return { kind: 'ours' }
  const { kind, name } = makerOf(other)
  return { kind: 'other', who: name === undefined ? 'whoever made it' : `${kind} ${name}`, evidence: [] }
}
