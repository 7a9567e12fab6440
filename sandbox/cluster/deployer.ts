import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Home } from '../cloud/partition.js'

/** What the published policies leave for their reader to fill in. */
export interface PolicyFacts {
  readonly home: Home
  readonly clusterName: string
  /** Of the cluster: https://oidc.eks.<region>.<suffix>/id/<id> */
  readonly issuer: string
  /** Name of the role that gets the policy. */
  readonly roleName: string
  /** owner/name */
  readonly repository: string
  readonly repositoryId: string
  readonly ownerId: string
}

/** docs/permissions/<name>.json with its placeholders filled in. */
export async function publishedPolicy(name: string, facts: PolicyFacts): Promise<unknown> {
  const path = fileURLToPath(new URL(`../../docs/permissions/${name}.json`, import.meta.url))
  const document: unknown = JSON.parse(filled(await readFile(path, 'utf8'), facts))
  return document
}

/** Fills in the placeholders that docs/permissions/README.md lists, as its sed command does. */
export function filled(text: string, facts: PolicyFacts): string {
  const [owner = '', repository = ''] = facts.repository.split('/')
  const values: Readonly<Record<string, string>> = {
    GITHUB_OWNER: owner,
    GITHUB_REPOSITORY: repository,
    GITHUB_BRANCH: 'main',
    PARTITION: facts.home.partition,
    URL_SUFFIX: facts.home.urlSuffix,
    REGION: facts.home.region,
    ACCOUNT_ID: facts.home.accountId,
    RULES_OF_STACK: rulesOf(`Karpenter-${facts.clusterName}`),
    CLUSTER_NAME: facts.clusterName,
    OIDC_ID: facts.issuer.slice(facts.issuer.lastIndexOf('/') + 1),
    ROLE_NAME: facts.roleName,
    AUDIENCE: audienceOf(facts.home),
    OWNER_ID: facts.ownerId,
    REPOSITORY_ID: facts.repositoryId
  }
  return Object.entries(values).reduce((sofar, [name, value]) => sofar.replaceAll(name, value), text)
}

/** Names of the stack's rules: CloudFormation begins them with the stack's name, of a long one with 24 characters at least. */
export function rulesOf(stack: string): string {
  return stack.length > 24 ? `${stack.slice(0, 24)}*` : `${stack}-*`
}

/** Audience of GitHub's tokens for AWS. */
export function audienceOf(home: Home): string {
  return home.partition === 'aws-cn' ? 'sts.amazonaws.com.cn' : 'sts.amazonaws.com'
}
