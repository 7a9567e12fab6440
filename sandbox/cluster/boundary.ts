import type { Sandbox } from '../index.js'
import { homeOf } from '../cloud/partition.js'
import { publishedPolicy } from './deployer.js'
import { deployerFacts } from './deployer-policy.js'

/** Makes the managed policy of docs/permissions/boundary.json, as an administrator of the account does. */
export async function putPublishedBoundary(sandbox: Sandbox): Promise<string> {
  const { iam } = sandbox.cloud
  const name = `setup-karpenter-boundary-${sandbox.name}`
  const { partition } = homeOf(sandbox.accountId, sandbox.region)
  const arn = `arn:${partition}:iam::${sandbox.accountId}:policy/${name}`
  const document = JSON.stringify(await publishedPolicy('boundary', deployerFacts(sandbox)))
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
