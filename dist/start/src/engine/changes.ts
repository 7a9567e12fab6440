import type { Inspection } from './resource.js'

/** Whether any resource is not as wanted, or one by its id. */
export function changes(inspections: ReadonlyMap<string, Inspection>, id?: string): boolean {
  const asked = id === undefined ? [...inspections.values()] : [inspections.get(id)]
  return asked.some((one) => one !== undefined && one.state !== 'as wanted')
}

/**
 * How many resources are as wanted. One of which nothing is there, and nothing is to be, such as what another version has
 * left, is counted with what it depends on: where that is missing, it is no merit that nothing of it is there.
 */
export function countAsWanted(inspections: ReadonlyMap<string, Inspection>): number {
  const counts = ({ state, present, resource }: Inspection): boolean =>
    state === 'as wanted' &&
    (present.length > 0 || resource.dependsOn.every((id) => inspections.get(id)?.state !== 'absent'))
  return [...inspections.values()].filter(counts).length
}
