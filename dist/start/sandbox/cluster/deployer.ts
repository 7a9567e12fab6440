import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Home } from '../cloud/partition.js'
import { list, record } from '../values.js'

/** What the published policies leave for their reader to fill in. */
export interface PolicyFacts {
  readonly home: Home
  readonly clusterName: string
  /** Of the cluster: https://oidc.eks.<region>.<suffix>/id/<id> */
  readonly issuer: string
  readonly vpcId: string
  /** Name of the role that gets the policy. */
  readonly roleName: string
  /** owner/name */
  readonly repository: string
  readonly repositoryId: string
  readonly ownerId: string
}

/** Names of docs/permissions/*.json by mode: what a role for the mode holds, each as a managed policy. */
export const policiesOfMode = {
  'bounded-install': ['install', 'install-iam-bounded'],
  'stack-role-install': ['install', 'install-iam-stack-role'],
  'stack-role': ['stack-role'],
  install: ['install', 'install-iam'],
  uninstall: ['uninstall'],
  check: ['check'],
  'smoke-test': ['smoke-test']
} as const

export type PublishedMode = keyof typeof policiesOfMode

/** All statements that are published for the mode as one document, so that tests can take some out. */
export async function publishedForMode(mode: PublishedMode, facts: PolicyFacts): Promise<unknown> {
  const documents = await Promise.all(policiesOfMode[mode].map(async (name) => publishedPolicy(name, facts)))
  return {
    Version: '2012-10-17',
    Statement: documents.flatMap((document) => list(record(document)['Statement']))
  }
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
    VPC_ID: facts.vpcId,
    OIDC_ID: facts.issuer.slice(facts.issuer.lastIndexOf('/') + 1),
    ROLE_NAME: facts.roleName,
    AUDIENCE: audienceOf(facts.home),
    OWNER_ID: facts.ownerId,
    REPOSITORY_ID: facts.repositoryId
  }
  return Object.entries(values).reduce((sofar, [name, value]) => sofar.replaceAll(name, value), text)
}

/**
 * How the names of the stack's rules begin. CloudFormation keeps 24 characters of a long stack's name at least
 * (madeUpPrefix in src/aws/stack-rules.ts), with a random part of 13; runs of `-` become one.
 */
export function rulesOf(stack: string): string {
  const name = stack.replaceAll(/-{2,}/g, '-')
  return name.length > 24 ? `${name.slice(0, 24)}*` : name
}

/** Audience of GitHub's tokens for AWS. */
export function audienceOf(home: Home): string {
  return home.partition === 'aws-cn' ? 'sts.amazonaws.com.cn' : 'sts.amazonaws.com'
}
