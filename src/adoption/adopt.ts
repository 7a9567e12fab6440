import type { Discovery } from '../plan/discovery.js'
import { discoverSecurityGroups, discoverSubnets } from '../aws/discover.js'
import type { Step } from '../engine/resource.js'
import type { Ownership } from '../aws/environment.js'
import type { Inputs } from '../inputs/inputs.js'
import { ec2NodeClasses, type Kind, nodePools as nodePoolKind } from '../kubernetes/kinds.js'
import type { Manifest } from '../kubernetes/manifest.js'
import { runPreflight } from '../preflight/index.js'
import { keepsNames, notAdopted } from './not-adopted.js'
import { idOf, nameIn } from '../resources/ids.js'
import { recordedManifests } from '../resources/recorded.js'
import { adoptedInputs, parseAdoption } from './adoption.js'
import { findInstallation, type Installation } from './installation.js'
import type { AdoptionEntry } from '../report/adoption-entry.js'
import { asWanted, type Terms, termsOf } from './terms.js'
import type { Adopted } from './adoption.js'
import { usedParts } from './used-parts.js'

/** Whose installation stands in the place of ours. */
export type Standing =
  /** None, or one that this action made. */
  | { readonly kind: 'ours' }
  /** Taken over by an earlier run. */
  | { readonly kind: 'adopted'; readonly adopted: Adopted }
  | { readonly kind: 'others'; readonly installation: Installation; readonly terms: Terms }

/** Reads the record first: what was taken over once is not asked for again. */
export async function standingOf(inputs: Inputs, found: Discovery, ownership: Ownership): Promise<Standing> {
  const adopted = await recordedAdoption(found)
  if (adopted !== undefined) return { kind: 'adopted', adopted }
  if (found.record !== undefined) return { kind: 'ours' }
  const installation = await findInstallation(found, inputs.stackName)
  if (installation === undefined) return { kind: 'ours' }
  const account = found.aws.account
  return { kind: 'others', installation, terms: termsOf({ installation, inputs, account, ownership }) }
}

/** What there is of names to go by, of an installation that was adopted or can be. */
export function adoptedOf(standing: Standing): Adopted | undefined {
  if (standing.kind === 'adopted') return standing.adopted
  return standing.kind === 'others' && standing.terms.kind === 'compatible'
    ? standing.terms.adopted
    : undefined
}

/** What the report of an adoption names beside the model's resources. */
export function usedPartsOf(standing: Standing, clusterName: string): readonly AdoptionEntry[] {
  return standing.kind === 'others' && standing.terms.kind === 'compatible'
    ? usedParts(standing.installation, standing.terms.adopted, clusterName)
    : []
}

/** What an earlier run took over; undefined when none has. */
export async function recordedAdoption(
  found: Pick<Discovery, 'record' | 'kubernetes'>
): Promise<Adopted | undefined> {
  const adoption = parseAdoption(found.record?.adoption)
  if (adoption === undefined) return undefined
  const [nodePools, nodeClasses] = await Promise.all([
    recordedOrLive(found, 'nodePool', nodePoolKind),
    recordedOrLive(found, 'ec2NodeClass', ec2NodeClasses)
  ])
  return { adoption, nodePools, nodeClasses }
}

/** A run that was broken off before its end has only said that it takes them over: they are as they were. */
async function recordedOrLive(
  { record, kubernetes }: Pick<Discovery, 'record' | 'kubernetes'>,
  kindOfId: 'nodePool' | 'ec2NodeClass',
  kind: Kind<Manifest>
): Promise<readonly Manifest[]> {
  const announced = Object.entries(record?.resources ?? {}).flatMap(([id, { adopted, wanted }]) => {
    const name = nameIn(idOf[kindOfId], id)
    return name !== undefined && adopted === true && wanted === undefined ? [name] : []
  })
  const live = await Promise.all(announced.map(async (name) => kubernetes.get(kind, name)))
  return [...recordedManifests(record, kindOfId), ...live.filter((one) => one !== undefined).map(asWanted)]
}

/**
 * For a run that writes. An installation of somebody else's ends it here, unless it was asked to take it over and can:
 * nothing is taken over in silence.
 */
export async function adoptedIfAsked(
  inputs: Inputs,
  found: Discovery,
  standing: Standing,
  step: Step
): Promise<{ readonly inputs: Inputs; readonly found: Discovery }> {
  if (standing.kind === 'ours') return { inputs, found }
  if (standing.kind === 'adopted') {
    const { adopted } = standing
    await runPreflight({ 'not-adopted': () => keepsNames(inputs, adopted.adoption) })
    return withAdopted(inputs, found, adopted, step)
  }
  await runPreflight({ 'not-adopted': () => notAdopted(standing, inputs.adopt) })
  if (standing.terms.kind !== 'compatible') return { inputs, found }
  return withAdopted(inputs, found, standing.terms.adopted, step)
}

/** Inputs and discovery with the names of an installation that was adopted, or is being. */
export async function withAdopted(
  inputs: Inputs,
  found: Discovery,
  adopted: Adopted,
  step: Step
): Promise<{ readonly inputs: Inputs; readonly found: Discovery }> {
  const named = adoptedInputs(inputs, adopted.adoption)
  const [subnets, securityGroups] = await Promise.all([
    named.subnets === inputs.subnets
      ? found.subnets
      : discoverSubnets(found.aws, found.cluster, named.subnets),
    named.securityGroups === inputs.securityGroups
      ? found.securityGroups
      : discoverSecurityGroups(found.aws, found.cluster, named.securityGroups)
  ])
  const { adoption } = adopted
  step.note(
    `adopted: helm release ${adoption.namespace}/karpenter, controller role ${adoption.controllerRoleName}, node role ${adoption.nodeRoleName}, stack ${adoption.stackName}`
  )
  return { inputs: named, found: { ...found, subnets, securityGroups, adopted } }
}
