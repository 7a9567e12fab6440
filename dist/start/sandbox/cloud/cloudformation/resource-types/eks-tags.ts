import type { Tag } from '../../input.js'
import type { Deployer } from '../invoke.js'

/** EKS keeps tags as a map. */
export function eksTags(tags: readonly Tag[]): Readonly<Record<string, string>> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]))
}

/** Brings the tags of something of EKS's from what a stack gave it before to what it gives it now. */
export async function retag(
  deployer: Deployer,
  resourceArn: string,
  tags: readonly Tag[],
  before: readonly Tag[]
): Promise<void> {
  const tagKeys = before.map(({ Key }) => Key).filter((key) => !tags.some(({ Key }) => Key === key))
  const changed = tags.filter(
    ({ Key, Value }) => !before.some((old) => old.Key === Key && old.Value === Value)
  )
  if (tagKeys.length > 0) await deployer.call('eks', 'UntagResource', { resourceArn, tagKeys })
  if (changed.length > 0) await deployer.call('eks', 'TagResource', { resourceArn, tags: eksTags(changed) })
}
