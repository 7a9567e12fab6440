import type { Ownership } from './environment.js'

/** Says which cluster a thing was made for; what carries it may be removed by this action. */
export const ownerTag = 'setup-karpenter:owner'
/** URL of the run that created a thing. Written at creation, never compared. */
const runTag = 'setup-karpenter:run'

/** Tags that are wanted and compared: the user's, and the owner tag. */
export function wantedTags(
  clusterName: string,
  tags: Readonly<Record<string, string>>
): Readonly<Record<string, string>> {
  return { ...tags, [ownerTag]: clusterName }
}

/** Tags of something that is being created. */
export function creationTags(
  wanted: Readonly<Record<string, string>>,
  ownership: Ownership
): Readonly<Record<string, string>> {
  return { ...wanted, [runTag]: ownership.run }
}

/** IAM's, CloudFormation's and EC2's form. */
export function tagList(tags: Readonly<Record<string, string>>): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
}

/** Made by this action for this cluster. */
export function isOurs(tags: Readonly<Record<string, string>>, clusterName: string): boolean {
  return tags[ownerTag] === clusterName
}
