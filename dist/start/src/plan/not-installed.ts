import { type Finding, notInstalledId } from '../engine/findings.js'
import type { Inspection } from '../engine/resource.js'
import type { Discovery } from './discovery.js'
import { idOf, type ResourceId } from '../resources/ids.js'

type Found = Pick<Discovery, 'record' | 'brokenRecord' | 'denied' | 'controllers'>

/**
 * Whether nobody has installed Karpenter here: no record, no controller, no release and no stack, and all of it could be
 * read. What else stands (a role, CRDs that a removal left, tags) makes no installation.
 */
export function isNotInstalled(found: Found, inspections: ReadonlyMap<string, Inspection>): boolean {
  const { record, brokenRecord, denied, controllers } = found
  const unread = denied.some(({ what }) => what === 'record' || what === 'controllers')
  const isAbsent = (id: ResourceId): boolean => inspections.get(id)?.state === 'absent'
  return (
    record === undefined &&
    brokenRecord === undefined &&
    !unread &&
    controllers.length === 0 &&
    isAbsent(idOf.helmRelease) &&
    isAbsent(idOf.stack)
  )
}

/** What a check says of it, in place of a finding for each resource: nothing has drifted that nobody has installed. */
export function notInstalledFinding(version: string, inspections: ReadonlyMap<string, Inspection>): Finding {
  const states = [...inspections.values()].map(({ state }) => state)
  const make = states.filter((state) => state === 'absent').length
  const change = states.filter((state) => state === 'differs').length
  const changed = change === 0 ? '' : `, ${change} to change`
  return {
    kind: 'pending',
    id: notInstalledId,
    title: 'Karpenter',
    layer: 'karpenter',
    path: '',
    wanted: version,
    recorded: undefined,
    live: undefined,
    severity: 'changes behaviour',
    reason: `not installed: ${make} ${make === 1 ? 'resource' : 'resources'} to make${changed}`,
    install: `install ${version}`
  }
}
