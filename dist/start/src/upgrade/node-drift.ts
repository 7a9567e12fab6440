import { discoveryTag } from '../karpenter/names.js'
import type { Difference } from '../engine/difference.js'
import { type DriftEffect, nodeClassEffect, nodePoolEffect } from '../karpenter/drift-hash.js'
import { listField, textField, type Manifest } from '../kubernetes/manifest.js'
import { fits } from './requirements-fit.js'

/** What is looked at of a NodeClaim; there may be thousands. */
export interface ClaimFacts {
  readonly name: string
  readonly nodePool: string
  readonly nodeClass: string
  readonly labels: Readonly<Record<string, string>>
  /** Karpenter has marked it as drifted already, whatever this run does. */
  readonly drifted: boolean
}

export interface NodeDriftFacts {
  /** The version that runs; undefined when it is not known. */
  readonly from: string | undefined
  readonly to: string
  /** Versions of the EC2NodeClass hash of the two; undefined when not known. */
  readonly hashes: { readonly from: string | undefined; readonly to: string | undefined }
  readonly claims: readonly ClaimFacts[]
  /** What this run changes in NodePools and EC2NodeClasses that are there, by their names. */
  readonly nodePools: readonly ChangedObject[]
  readonly nodeClasses: readonly ChangedObject[]
  /** EC2NodeClasses as they will be. */
  readonly wantedNodeClasses: readonly Manifest[]
  /** Security groups get the tag by which EC2NodeClasses find them. */
  readonly securityGroupTags: boolean
}

export interface ChangedObject {
  readonly manifest: Manifest
  readonly differences: readonly Difference[]
}

/** Nodes that Karpenter itself replaces, and why. */
export interface NodeCause {
  /** `EC2NodeClass default`, `NodePool batch`. */
  readonly object: string
  /** `spec.userData changes, which is part of the hash of an EC2NodeClass`. */
  readonly reason: string
  readonly nodes: number
  /** Whether all of them will be replaced, or at most so many. */
  readonly certain: boolean
}

export interface NodeDrift {
  /** NodeClaims that the cluster has. */
  readonly nodes: number
  /** Of them, those that will be replaced because of this run. */
  readonly replaced: number
  /** Of the others, those that may be. */
  readonly mayBeReplaced: number
  /** Those that Karpenter has marked as drifted already: it replaces them too, unless this run undoes why. */
  readonly driftedAlready: number
  readonly causes: readonly NodeCause[]
  /** What looks like a cause and is none, or is one at any time. */
  readonly notes: readonly string[]
}

/** One cause with the names of its nodes, which the sums need. */
interface Cause extends Omit<NodeCause, 'nodes'> {
  readonly claims: readonly string[]
}

/** How many nodes Karpenter replaces after this run, by the rules of its own drift controllers. */
export function nodeDrift(facts: NodeDriftFacts): NodeDrift {
  const { claims } = facts
  // What has drifted already was made by another state than today's, and this run may bring back that very state.
  const fresh = { ...facts, claims: claims.filter(({ drifted }) => !drifted) }
  const causes = [
    ...facts.nodePools.flatMap((changed) => nodePoolCauses(changed, fresh.claims)),
    ...facts.nodeClasses.flatMap((changed) => nodeClassCauses(changed, fresh)),
    ...securityGroupCauses(fresh)
  ]
  const certain = namesOf(causes.filter((cause) => cause.certain))
  const possible = namesOf(causes.filter((cause) => !cause.certain))
  return {
    nodes: claims.length,
    replaced: certain.size,
    mayBeReplaced: [...possible].filter((name) => !certain.has(name)).length,
    driftedAlready: claims.filter(({ drifted }) => drifted).length,
    causes: causes.map(({ claims: names, ...cause }) => ({ ...cause, nodes: names.length })),
    notes: [...hashNotes(facts), ...latestNotes(facts)]
  }
}

function namesOf(causes: readonly Cause[]): ReadonlySet<string> {
  return new Set(causes.flatMap(({ claims }) => claims))
}

function nodePoolCauses(
  { manifest, differences }: ChangedObject,
  claims: readonly ClaimFacts[]
): readonly Cause[] {
  const { name } = manifest.metadata
  const own = claims.filter(({ nodePool }) => nodePool === name)
  const object = `NodePool ${name}`
  const hashed = pathsWith('all', differences, nodePoolEffect)
  const judged = pathsWith('those that no longer fit', differences, nodePoolEffect)
  const misfits = own.filter(
    ({ labels }) => !fits(listField(manifest, 'spec', 'template', 'spec', 'requirements'), labels)
  )
  return withNodes([
    ...(hashed.length === 0
      ? []
      : [cause(object, `${few(hashed)} changes, and is part of the NodePool's hash`, own, true)]),
    ...(judged.length === 0
      ? []
      : [cause(object, 'its requirements change, and labels of these nodes do not meet them', misfits, true)])
  ])
}

function nodeClassCauses({ manifest, differences }: ChangedObject, facts: NodeDriftFacts): readonly Cause[] {
  const { name } = manifest.metadata
  const own = facts.claims.filter(({ nodeClass }) => nodeClass === name)
  const object = `EC2NodeClass ${name}`
  const effect = (path: string): DriftEffect => nodeClassEffect(path, facts.to)
  const hashed = [
    ...pathsWith('all', differences, effect),
    ...(familyChanges(manifest, differences) ? ['the AMI family'] : [])
  ]
  const judged = pathsWith('those that no longer fit', differences, effect)
  return withNodes([
    ...(hashed.length === 0
      ? []
      : [cause(object, `${few(hashed)} changes, and is part of the EC2NodeClass's hash`, own, true)]),
    ...(judged.length === 0
      ? []
      : [cause(object, `${few(judged)} changes: nodes on what it no longer finds are replaced`, own, false)])
  ])
}

/** Hashed is what amiFamily comes to: an amiFamily beside an alias changes nothing where it says what the alias says. */
function familyChanges(manifest: Manifest, differences: readonly Difference[]): boolean {
  const before = (path: string, now: unknown): unknown => {
    const found = differences.find((one) => one.path === path)
    return found === undefined ? now : found.live
  }
  const family = textField(manifest, 'spec', 'amiFamily')
  const terms = listField(manifest, 'spec', 'amiSelectorTerms')
  const were = before('spec.amiSelectorTerms', terms)
  return (
    familyOf(family, terms) !== familyOf(before('spec.amiFamily', family), Array.isArray(were) ? were : [])
  )
}

function familyOf(family: unknown, terms: readonly unknown[]): string | undefined {
  return typeof family === 'string' ? family.toLowerCase() : aliasOf(terms)?.split('@')[0]?.toLowerCase()
}

function aliasOf(terms: readonly unknown[]): string | undefined {
  return textField(terms[0], 'alias')
}

/** A node must have exactly the security groups that its EC2NodeClass finds: one more found is enough. */
function securityGroupCauses(facts: NodeDriftFacts): readonly Cause[] {
  if (!facts.securityGroupTags) return []
  return withNodes(
    facts.wantedNodeClasses
      .filter((nodeClass) =>
        listField(nodeClass, 'spec', 'securityGroupSelectorTerms').some(
          (term) => textField(term, 'tags', discoveryTag) !== undefined
        )
      )
      .map(({ metadata: { name } }) =>
        cause(
          `EC2NodeClass ${name}`,
          'security groups get the tag that it selects by: nodes without them are replaced',
          facts.claims.filter(({ nodeClass }) => nodeClass === name),
          false
        )
      )
  )
}

function hashNotes({ from, to, hashes, claims }: NodeDriftFacts): readonly string[] {
  if (from === undefined || from === to || claims.length === 0) return []
  if (hashes.from === hashes.to && hashes.to !== undefined) return []
  const change =
    hashes.from === undefined || hashes.to === undefined
      ? `whether the hash of EC2NodeClasses is another one (${hashes.from ?? 'not known'} of ${from}, ${hashes.to ?? 'not known'} of ${to}) is not known: if it is,`
      : `the hash of EC2NodeClasses goes from ${hashes.from} to ${hashes.to}:`
  return [
    `${change} Karpenter ${to} renews it on EC2NodeClasses and NodeClaims alike, and replaces no node for that`
  ]
}

function latestNotes({ claims, wantedNodeClasses }: NodeDriftFacts): readonly string[] {
  return wantedNodeClasses.flatMap((nodeClass) => {
    const alias = aliasOf(listField(nodeClass, 'spec', 'amiSelectorTerms'))
    const { name } = nodeClass.metadata
    const count = claims.filter((claim) => claim.nodeClass === name).length
    return alias?.endsWith('@latest') === true && count > 0
      ? [
          `EC2NodeClass ${name} follows ${alias}: of its ${nodesText(count)}, those with an older image are replaced as soon as Karpenter sees a newer one, with or without this run`
        ]
      : []
  })
}

function pathsWith(
  effect: DriftEffect,
  differences: readonly Difference[],
  of: (path: string) => DriftEffect
): readonly string[] {
  return [...new Set(differences.map(({ path }) => path).filter((path) => of(path) === effect))]
}

function cause(object: string, reason: string, claims: readonly ClaimFacts[], certain: boolean): Cause {
  return { object, reason, claims: claims.map(({ name }) => name), certain }
}

function withNodes(causes: readonly Cause[]): readonly Cause[] {
  return causes.filter(({ claims }) => claims.length > 0)
}

function few(paths: readonly string[]): string {
  const more = paths.length - 3
  return more > 0 ? `${paths.slice(0, 3).join(', ')} and ${more} more` : paths.join(', ')
}

function nodesText(count: number): string {
  return count === 1 ? '1 node' : `${count} nodes`
}
