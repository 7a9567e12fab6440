import { UserError } from '../engine/errors.js'
import { quantity } from '../engine/quantity.js'
import { field, listField, textField, type Manifest } from '../kubernetes/manifest.js'
import { isMap } from '../engine/json.js'
import { smokeTestLabel } from './objects.js'

/** Which NodePools a run proves. */
export type NodePoolChoice =
  | { readonly kind: 'named'; readonly names: readonly string[] }
  | { readonly kind: 'every' }
  /** The first of these names, or without any the first that the cluster has. */
  | { readonly kind: 'first'; readonly of: readonly string[] }

export interface ChosenNodePools {
  readonly names: readonly string[]
  /** NodePools that are left out or prove less than they seem to, and why. */
  readonly warnings: readonly string[]
}

const subject = 'smoke-test-node-pools'

/**
 * The NodePools to prove, of all that the cluster has. A leftover of a smoke test is none of them, nor is one that
 * another Karpenter serves, such as EKS Auto Mode's. Throws when a name is wrong or cannot be proved, or none is left.
 */
export function chooseNodePools(
  choice: NodePoolChoice,
  all: readonly Manifest[],
  /** Names of EC2NodeClasses whose images are Windows. */
  windows: ReadonlySet<string> = new Set()
): ChosenNodePools {
  const there = all.filter((pool) => pool.metadata.labels?.[smokeTestLabel] === undefined)
  switch (choice.kind) {
    case 'named':
      return named(choice.names, there, windows)
    case 'every':
      return every(there, windows)
    case 'first':
      return first(choice.of, there, windows)
  }
}

function named(
  names: readonly string[],
  there: readonly Manifest[],
  windows: ReadonlySet<string>
): ChosenNodePools {
  const unknown = names.filter((name) => !there.some((pool) => pool.metadata.name === name))
  if (unknown.length > 0) {
    const list = there.map((pool) => pool.metadata.name).join(', ')
    throw new UserError(
      subject,
      `${unknown.join(', ')}: the cluster has no such NodePool`,
      list === '' ? 'It has none at all: run mode install first.' : `It has these: ${list}`
    )
  }
  for (const pool of there.filter((one) => names.includes(one.metadata.name))) {
    const obstacle = withoutLinux(pool, windows) ?? obstacleOf(pool)
    if (obstacle !== undefined)
      throw new UserError(
        subject,
        `NodePool ${pool.metadata.name} ${obstacle}: there is nothing to prove`,
        'Leave it out of smoke-test-node-pools, or change it first.'
      )
  }
  return { names, warnings: [] }
}

function every(there: readonly Manifest[], windows: ReadonlySet<string>): ChosenNodePools {
  const served = there.filter(isOurs)
  const obstacles = new Map(
    served.map((pool) => [pool.metadata.name, withoutLinux(pool, windows) ?? obstacleOf(pool)])
  )
  const names = served.map((pool) => pool.metadata.name).filter((name) => obstacles.get(name) === undefined)
  const leftOut = [...obstacles].flatMap(([name, obstacle]) =>
    obstacle === undefined ? [] : [`NodePool ${name} ${obstacle}`]
  )
  if (names.length === 0) {
    throw new UserError(
      subject,
      leftOut.length === 0
        ? 'the cluster has no NodePool of Karpenter, so nothing can make nodes'
        : `no NodePool can be proved: ${leftOut.join('; ')}`,
      'Run mode install with `node-pools` first.'
    )
  }
  return { names, warnings: leftOut.map((line) => `smoke test: ${line}: it is left out`) }
}

/** One that could not make another node itself still shows by its copy that its settings work. */
function first(
  names: readonly string[],
  there: readonly Manifest[],
  windows: ReadonlySet<string>
): ChosenNodePools {
  const asked =
    names.length === 0
      ? there.filter(isOurs)
      : names.flatMap((name) => there.find((pool) => pool.metadata.name === name) ?? [])
  const candidates = asked.filter((pool) => withoutLinux(pool, windows) === undefined)
  const [left] = asked
  if (candidates.length === 0 && left !== undefined) {
    const why = withoutLinux(left, windows) ?? ''
    return { names: [], warnings: [`smoke test: NodePool ${left.metadata.name} ${why}: nothing is proved`] }
  }
  const chosen = candidates.find((pool) => obstacleOf(pool) === undefined) ?? candidates[0]
  if (chosen === undefined) {
    throw new UserError(
      'smoke-test',
      names.length === 0
        ? 'the cluster has no NodePool, and node-pools is none, so nothing can make nodes'
        : `the cluster does not have NodePool ${names.join(', ')} any more`,
      'Pass `node-pools`, or `smoke-test: false`.'
    )
  }
  const { name } = chosen.metadata
  const obstacle = obstacleOf(chosen)
  return {
    names: [name],
    warnings:
      obstacle === undefined ? [] : [`smoke test: NodePool ${name} ${obstacle}: only a copy is proved`]
  }
}

function isOurs(pool: Manifest): boolean {
  return groupOf(pool) === 'karpenter.k8s.aws'
}

function groupOf(pool: Manifest): string | undefined {
  return textField(pool, 'spec', 'template', 'spec', 'nodeClassRef', 'group')
}

/** The test's pods run on Linux: their images and Pod Security settings have no counterpart on Windows. */
function withoutLinux(pool: Manifest, windows: ReadonlySet<string>): string | undefined {
  const os = listField(pool, 'spec', 'template', 'spec', 'requirements').filter(
    (one) => field(one, 'key') === 'kubernetes.io/os'
  )
  const takesLinux = os.every((one) => {
    const values = listField(one, 'values')
    const operator = field(one, 'operator')
    return operator === 'In' ? values.includes('linux') : operator !== 'NotIn' || !values.includes('linux')
  })
  const nodeClass = textField(pool, 'spec', 'template', 'spec', 'nodeClassRef', 'name') ?? ''
  return takesLinux && !windows.has(nodeClass)
    ? undefined
    : "makes Windows nodes, on which the smoke test's pods do not run"
}

/** Whether the images of an EC2NodeClass are Windows, by their family or an alias of it. */
export function isWindows(nodeClass: Manifest): boolean {
  return (
    /^windows/i.test(textField(nodeClass, 'spec', 'amiFamily') ?? '') ||
    listField(nodeClass, 'spec', 'amiSelectorTerms').some((term) =>
      /^windows/i.test(textField(term, 'alias') ?? '')
    )
  )
}

/** Why a NodePool makes no node for a new pod, whatever the pod asks for; undefined when it does. */
function obstacleOf(pool: Manifest): string | undefined {
  const group = groupOf(pool)
  if (!isOurs(pool)) return `is not served by this Karpenter (its node class is of ${group ?? 'no group'})`
  if (pool.metadata.deletionTimestamp !== undefined) return 'is being deleted'
  const replicas = field(pool, 'spec', 'replicas')
  if (typeof replicas === 'number')
    return `is static: it keeps ${replicas} nodes (spec.replicas), whatever pods need`
  const usedUp = usedUpLimits(pool)
  return usedUp.length === 0 ? undefined : `has used up its limits (${usedUp.join(', ')})`
}

/** `cpu 1000 of 1000` for each resource that has reached its limit. Karpenter counts what its nodes have, not what pods ask for. */
function usedUpLimits(pool: Manifest): readonly string[] {
  const limits = field(pool, 'spec', 'limits')
  if (!isMap(limits)) return []
  return Object.entries(limits).flatMap(([resource, limit]) => {
    const used = textField(pool, 'status', 'resources', resource) ?? '0'
    const [has, most] = [quantity(used), amountOf(limit)]
    return has === undefined || most === undefined || has < most
      ? []
      : [`${resource} ${used} of ${String(limit)}`]
  })
}

function amountOf(value: unknown): number | undefined {
  return typeof value === 'string' || typeof value === 'number' ? quantity(value) : undefined
}
