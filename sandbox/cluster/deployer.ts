import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Home } from '../cloud/partition.js'

/** What the published policies leave for their reader to fill in. */
export interface PolicyFacts {
  readonly home: Home
  readonly clusterName: string
  /** owner/name */
  readonly repository: string
  readonly repositoryId: string
  readonly repositoryOwnerId: string
}

/** docs/permissions/<name>.json with its placeholders filled in. */
export async function publishedPolicy(name: string, facts: PolicyFacts): Promise<unknown> {
  const path = fileURLToPath(new URL(`../../docs/permissions/${name}.json`, import.meta.url))
  const document: unknown = JSON.parse(filled(await readFile(path, 'utf8'), facts))
  return document
}

/** Replaces <account>, <region>, <cluster> and the like, in either of the two ways in which they are written. */
export function filled(text: string, facts: PolicyFacts): string {
  const [owner = '', repository = ''] = facts.repository.split('/')
  const values: Readonly<Record<string, string>> = {
    partition: facts.home.partition,
    'aws::partition': facts.home.partition,
    account: facts.home.accountId,
    'account-id': facts.home.accountId,
    'aws::accountid': facts.home.accountId,
    region: facts.home.region,
    'aws::region': facts.home.region,
    'aws::urlsuffix': facts.home.urlSuffix,
    cluster: facts.clusterName,
    'cluster-name': facts.clusterName,
    clustername: facts.clusterName,
    org: owner,
    owner,
    repo: repository,
    repository,
    'org-id': facts.repositoryOwnerId,
    'owner-id': facts.repositoryOwnerId,
    'repo-id': facts.repositoryId,
    'repository-id': facts.repositoryId
  }
  return text.replaceAll(
    /<([a-z][a-z-]*)>|\$\{([A-Za-z][A-Za-z:-]*)\}/g,
    (whole, angled?: string, braced?: string) => values[(angled ?? braced ?? '').toLowerCase()] ?? whole
  )
}
