import semver from 'semver'
import type { Ailment } from '../engine/health.js'
import { isClaimOfEc2 } from '../karpenter/node-class-group.js'
import { conditionOf, describe } from '../kubernetes/conditions.js'
import { field, type Manifest, textField } from '../kubernetes/manifest.js'

const minute = 60_000
/** What Karpenter's own queues, and two clocks, may add to its limits. */
const grace = 2 * minute
/** pkg/controllers/nodeclaim/lifecycle/liveness.go of karpenter 1.0 to 1.9: the claim is deleted then, and another one made. */
const registrationLimit = 15 * minute
/** The same from 1.7 on; before it a claim that was not launched was ended by the other one. */
const launchLimit = 5 * minute
/**
 * Karpenter waits without an end until a node is Ready, its startup taints are off and its devices are there
 * (lifecycle/initialization.go), and consolidates none that is not: 90 % are within a minute, drivers of accelerators take
 * some more.
 */
const initializationLimit = 60 * minute
/** How long EC2 takes to end an instance: minutes; Karpenter asks again every 5 s without an end of its own. */
const terminationLimit = 15 * minute
/** A drain without terminationGracePeriod has no limit; after so long nobody means it to go on. */
const drainLimit = 24 * 60 * minute

export type Stage = 'launching' | 'registering' | 'initializing' | 'draining' | 'terminating'

/** A NodeClaim that does not get on. */
export interface StuckClaim {
  readonly name: string
  readonly nodePool: string
  readonly stage: Stage
  /** Milliseconds since the epoch. */
  readonly since: number
  /** In the claim's own words; empty when it has none. */
  readonly said: string
}

/** Whether a NodeClaim is longer in a stage than Karpenter of this version lets it be; undefined when it is not. */
export function stuckOf(claim: Manifest, version: string | undefined, now: number): StuckClaim | undefined {
  if (!isClaimOfEc2(claim)) return undefined
  const { name, labels = {}, deletionTimestamp } = claim.metadata
  const stuck = (stage: Stage, since: number, limit: number, said: string): StuckClaim | undefined =>
    now - since > limit + grace
      ? { name, nodePool: labels['karpenter.sh/nodepool'] ?? '', stage, since, said }
      : undefined
  if (deletionTimestamp !== undefined) return leaving(claim, Date.parse(deletionTimestamp), stuck)
  const [launched, registered, initialized] = ['Launched', 'Registered', 'Initialized'].map((type) =>
    conditionOf(claim, type)
  )
  const created = Date.parse(textField(claim, 'metadata', 'creationTimestamp') ?? '')
  const since = (condition: typeof launched): number => {
    const time = Date.parse(condition?.lastTransitionTime ?? '')
    return Number.isNaN(time) ? created : time
  }
  const said = (condition: typeof launched): string => (condition === undefined ? '' : describe(condition))
  if (launched?.status !== 'True')
    return stuck('launching', since(launched), launchLimitOf(version), said(launched))
  if (registered?.status !== 'True')
    return stuck('registering', since(registered), registrationLimit, said(registered))
  if (initialized?.status !== 'True')
    return stuck('initializing', since(registered), initializationLimit, said(initialized))
  return undefined
}

function launchLimitOf(version: string | undefined): number {
  return semver.valid(version ?? '') !== null && semver.gte(version ?? '', '1.7.0')
    ? launchLimit
    : registrationLimit
}

/** By its annotation it must have drained at a time; without one by what it waits for. */
function leaving(
  claim: Manifest,
  deletedAt: number,
  stuck: (stage: Stage, since: number, limit: number, said: string) => StuckClaim | undefined
): StuckClaim | undefined {
  const ending = conditionOf(claim, 'InstanceTerminating')
  if (ending?.status === 'True') {
    const since = Date.parse(ending.lastTransitionTime)
    return stuck('terminating', Number.isNaN(since) ? deletedAt : since, terminationLimit, describe(ending))
  }
  const waits = ['Drained', 'VolumesDetached'].map((type) => conditionOf(claim, type))
  const open = waits.find((condition) => condition !== undefined && condition.status !== 'True')
  const said = open === undefined ? finalizers(claim) : describe(open)
  const end = Date.parse(claim.metadata.annotations?.['karpenter.sh/nodeclaim-termination-timestamp'] ?? '')
  // Past its time Karpenter has taken every pod away, and only the instance is left to go.
  if (!Number.isNaN(end)) return stuck('terminating', end, terminationLimit, said)
  // A claim without a node has nothing to drain.
  return (claim.metadata.labels?.['karpenter.sh/registered'] ?? nodeOf(claim)) === undefined
    ? stuck('terminating', deletedAt, terminationLimit, said)
    : stuck('draining', deletedAt, drainLimit, said)
}

function nodeOf(claim: Manifest): string | undefined {
  const name = textField(claim, 'status', 'nodeName')
  return name === '' ? undefined : name
}

function finalizers(claim: Manifest): string {
  const found = field(claim, 'metadata', 'finalizers')
  return Array.isArray(found) && found.length > 0 ? `held by finalizer ${found.join(', ')}` : ''
}

/** Claims that an ailment names. */
const named = 3

/** One for each NodePool and stage: hundreds of nodes stick for one reason. */
export function claimAilments(claims: readonly StuckClaim[]): ReadonlyMap<string, readonly Ailment[]> {
  const byPool = new Map<string, Ailment[]>()
  const keys = [...new Set(claims.map(({ nodePool, stage }) => `${stage}/${nodePool}`))]
  for (const key of keys) {
    const all = claims
      .filter(({ nodePool, stage }) => `${stage}/${nodePool}` === key)
      .toSorted((a, b) => a.since - b.since)
    const [first] = all
    if (first === undefined) continue
    byPool.set(first.nodePool, [...(byPool.get(first.nodePool) ?? []), ailmentOf(first, all)])
  }
  return byPool
}

function ailmentOf({ stage, nodePool, since, said }: StuckClaim, all: readonly StuckClaim[]): Ailment {
  const names = all.slice(0, named).map(({ name }) => name)
  const more = all.length - names.length
  const list = `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  return {
    path: stage,
    wanted: 0,
    live: all.length,
    reason: `${all.length} NodeClaim${all.length === 1 ? '' : 's'} of NodePool ${nodePool} ${all.length === 1 ? 'is' : 'are'} ${words[stage].for} (${list}; the first since ${new Date(since).toISOString()})${said === '' ? '' : `: ${said}`}`,
    severity: 'breaks scaling',
    fix: words[stage].fix
  }
}

const words: Readonly<Record<Stage, { readonly for: string; readonly fix: string }>> = {
  launching: {
    for: 'launching for longer than Karpenter lets them',
    fix: "Read the condition and the controller's log: capacity, an image, a permission or a quota keeps EC2 from making the instance."
  },
  registering: {
    for: 'registering for longer than the 15 minutes that Karpenter gives them',
    fix: "The instance runs and its kubelet does not join: see its console output, the node role's access to the cluster, the subnet's way to the API server, and userData."
  },
  initializing: {
    for: 'registered for more than an hour and not initialized: Karpenter neither consolidates nor replaces it',
    fix: 'See the node: its kubelet or CNI does not get Ready, nobody takes a startup taint off, or a device plugin does not run.'
  },
  draining: {
    for: 'draining for more than a day, without a terminationGracePeriod that would end it',
    fix: 'See which pod stays: a PodDisruptionBudget, karpenter.sh/do-not-disrupt or a volume keeps it. spec.template.spec.terminationGracePeriod in node-pools bounds the drain of new nodes.'
  },
  terminating: {
    for: 'terminating for longer than EC2 takes',
    fix: "See the controller's log and the instance: termination protection, a permission that is missing, or a finalizer of somebody else's keeps it."
  }
}
