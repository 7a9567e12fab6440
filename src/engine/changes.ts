import type { Inspection } from './resource.js'

/** Whether any resource is not as wanted, or one by its id. */
export function changes(inspections: ReadonlyMap<string, Inspection>, id?: string): boolean {
  const asked = id === undefined ? [...inspections.values()] : [inspections.get(id)]
  return asked.some((one) => one !== undefined && one.state !== 'as wanted')
}
