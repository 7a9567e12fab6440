import { readFileSync } from 'node:fs'
import { homeOf } from '../../sandbox/cloud/partition.js'
import { filled } from '../../sandbox/cluster/deployer.js'
import { list, record } from '../../sandbox/values.js'

export const documents = [
  'install',
  'install-iam-bounded',
  'install-iam',
  'install-iam-stack-role',
  'stack-role',
  'boundary',
  'uninstall',
  'check',
  'smoke-test'
] as const
export type Document = (typeof documents)[number] | 'install-trust'

/** docs/permissions/<name>.json filled in, as text. */
export function text(name: Document, clusterName: string, region = 'eu-west-1'): string {
  return filled(readFileSync(`docs/permissions/${name}.json`, 'utf8'), {
    home: homeOf('111122223333', region),
    clusterName,
    issuer: `https://oidc/id/${Buffer.from(clusterName).toString('hex').padEnd(32, '0').toUpperCase().slice(0, 32)}`,
    vpcId: `vpc-of-${clusterName}`,
    roleName: `setup-karpenter-${clusterName}`,
    repository: 'my-org/my-repo',
    repositoryId: '1234567890',
    ownerId: '123456789'
  })
}

export const policy = (name: Document, clusterName: string): unknown => JSON.parse(text(name, clusterName))
export const texts = (value: unknown): readonly string[] => [value].flat().map(String)

/** One value for each condition key that the statement asks for, so that its conditions hold. */
function contextOf(condition: unknown): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(record(condition ?? {})).flatMap(([operator, keys]) =>
      Object.entries(record(keys)).map(([key, values]): [string, string | string[]] => {
        const value = texts(values)[0]?.replaceAll('*', 'x') ?? ''
        return [key, operator.startsWith('For') ? [value] : value]
      })
    )
  )
}

/** What a statement allows: an action on one resource, under its own conditions. */
export function grantsOf(document: unknown) {
  return list(record(document)['Statement'])
    .map(record)
    .flatMap((statement) =>
      texts(statement['Action']).flatMap((action) =>
        texts(statement['Resource']).map((resource) => ({
          sid: String(statement['Sid']),
          pattern: resource,
          question: {
            action,
            resource: resource.replaceAll('*', 'x'),
            context: contextOf(statement['Condition']),
            principal: 'arn:aws:sts::111122223333:assumed-role/deployer/run',
            accountId: '111122223333'
          }
        }))
      )
    )
}
