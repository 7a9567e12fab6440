import type { Account } from './environment.js'

/** By the names of AWS's regions: cn-*, us-gov-*, all others. */
export function partitionOf(region: string): Account['partition'] {
  if (region.startsWith('cn-')) return 'aws-cn'
  if (region.startsWith('us-gov-')) return 'aws-us-gov'
  return 'aws'
}

export function isPartition(value: string): value is Account['partition'] {
  return value === 'aws' || value === 'aws-cn' || value === 'aws-us-gov'
}

/** ARN of an IAM resource: `role/name`, `policy/name`, `oidc-provider/host/path`. */
export function iamArn(account: Pick<Account, 'id' | 'partition'>, resource: string): string {
  return `arn:${account.partition}:iam::${account.id}:${resource}`
}

/** Path of an IAM resource by its ARN: / most often. */
export function iamPath(arn: string): string {
  return arn.slice(arn.indexOf('/'), arn.lastIndexOf('/') + 1)
}

/** URL of an SQS queue of the account, by which SQS knows it. */
export function queueUrlOf(
  { id, region, urlSuffix }: Pick<Account, 'id' | 'region' | 'urlSuffix'>,
  name: string
): string {
  return `https://sqs.${region}.${urlSuffix}/${id}/${name}`
}
