import type { Sandbox } from '../index.js'
import { homeOf } from '../cloud/partition.js'
import { publishedPolicy } from './deployer.js'
import { deployerFacts } from './deployer-policy.js'

/**
 * Makes the managed policy of docs/permissions/boundary.json, as an administrator of the account does; with the name of a node
 * role that was there in place of the default one.
 */
export async function putPublishedBoundary(
  sandbox: Sandbox,
  nodeRole = `KarpenterNodeRole-${sandbox.name}`
): Promise<string> {
  const { iam } = sandbox.cloud
  const name = `setup-karpenter-boundary-${sandbox.name}`
  const { partition } = homeOf(sandbox.accountId, sandbox.region)
  const arn = `arn:${partition}:iam::${sandbox.accountId}:policy/${name}`
  const published = JSON.stringify(await publishedPolicy('boundary', deployerFacts(sandbox)))
  const document = published.replaceAll(`KarpenterNodeRole-${sandbox.name}`, nodeRole)
  const at = new Date()
  iam.policies.set(arn, {
    name,
    id: 'ANPAPUBLISHEDBOUNDARY',
    arn,
    path: '/',
    tags: [],
    versions: [{ id: 'v1', document, createdAt: at, isDefault: true }],
    versionsMade: 1,
    createdAt: at,
    updatedAt: at
  })
  return arn
}
