/** AWS partitions: which one a region is in, its DNS suffix, and ARNs written for it. */

export type Partition = 'aws' | 'aws-cn' | 'aws-us-gov'

export function partitionOf(region: string): Partition {
  if (region.startsWith('cn-')) return 'aws-cn'
  if (region.startsWith('us-gov-')) return 'aws-us-gov'
  return 'aws'
}

export function urlSuffixOf(region: string): 'amazonaws.com' | 'amazonaws.com.cn' {
  return partitionOf(region) === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com'
}

/** Where an account lives, enough to write ARNs. */
export interface Home {
  readonly accountId: string
  readonly region: string
  readonly partition: Partition
  readonly urlSuffix: string
}

export function homeOf(accountId: string, region: string): Home {
  return { accountId, region, partition: partitionOf(region), urlSuffix: urlSuffixOf(region) }
}

/** IAM's ARNs name no region. */
export function iamArn(home: Home, resource: string): string {
  return `arn:${home.partition}:iam::${home.accountId}:${resource}`
}

/** AROA..., AIDA..., ASIA...: AWS's prefix and capital letters and digits. */
export function awsId(prefix: string, length = 17): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bytes = crypto.getRandomValues(new Uint8Array(length))
  return prefix + Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join('')
}
