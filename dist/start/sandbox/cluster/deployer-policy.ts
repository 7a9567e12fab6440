import { homeOf } from '../cloud/partition.js'
import { publishedForMode, type PolicyFacts, type PublishedMode } from './deployer.js'
import { REPOSITORY } from './run.js'
import type { Sandbox } from '../index.js'
import { list, record } from '../values.js'

export type Statement = Readonly<Record<string, unknown>>

/** The statements of docs/permissions/*.json for the mode, filled in for this cluster. */
export async function publishedStatements(
  sandbox: Sandbox,
  mode: PublishedMode
): Promise<readonly Statement[]> {
  const document = await publishedForMode(mode, deployerFacts(sandbox))
  return list(record(document)['Statement']).map(record)
}

/** What the published policies are filled in with for the role that the action assumes. */
export function deployerFacts(sandbox: Sandbox): PolicyFacts {
  return {
    home: homeOf(sandbox.accountId, sandbox.region),
    clusterName: sandbox.name,
    issuer: sandbox.cloud.eks.cluster(sandbox.name).issuer,
    vpcId: sandbox.cloud.eks.cluster(sandbox.name).vpcId,
    roleName: 'karpenter-deployer',
    repository: REPOSITORY.repository,
    repositoryId: REPOSITORY.repositoryId,
    ownerId: REPOSITORY.repositoryOwnerId
  }
}

/** Gives a role these statements and nothing else; the one that the action assumes where none is named. */
export function hold(
  sandbox: Sandbox,
  statements: readonly Statement[],
  roleName = 'karpenter-deployer'
): void {
  const { roles } = sandbox.cloud.iam
  const role = sandbox.cloud.iam.role(roleName)
  roles.set(role.name, {
    ...role,
    inline: { deploy: JSON.stringify({ Version: '2012-10-17', Statement: statements }) }
  })
}

/** Gives a role exactly what is published for the mode. */
export async function holdPublished(sandbox: Sandbox, mode: PublishedMode, roleName?: string): Promise<void> {
  hold(sandbox, await publishedStatements(sandbox, mode), roleName)
}
