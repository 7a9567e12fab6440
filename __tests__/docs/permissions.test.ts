import { readFileSync } from 'node:fs'
import { policyAllows } from '../../sandbox/cloud/authorisation.js'
import { homeOf } from '../../sandbox/cloud/partition.js'
import { filled } from '../../sandbox/cluster/deployer.js'
import { list, record } from '../../sandbox/values.js'

const documents = ['install', 'uninstall', 'check', 'smoke-test'] as const
type Name = (typeof documents)[number]

function text(name: Name, clusterName: string, region = 'eu-west-1'): string {
  return filled(readFileSync(`docs/permissions/${name}.json`, 'utf8'), {
    home: homeOf('111122223333', region),
    clusterName,
    issuer: `https://oidc/id/${Buffer.from(clusterName).toString('hex').padEnd(32, '0').toUpperCase().slice(0, 32)}`,
    roleName: `setup-karpenter-${clusterName}`,
    repository: 'my-org/my-repo',
    repositoryId: '1234567890',
    ownerId: '123456789'
  })
}

const policy = (name: Name, clusterName: string): unknown => JSON.parse(text(name, clusterName))
const texts = (value: unknown): readonly string[] => [value].flat().map(String)

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
function grantsOf(document: unknown) {
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

describe('The published policies', () => {
  it.each(documents)('%s allows what it says, evaluated', (name) => {
    const own = policy(name, 'blue')
    const refused = grantsOf(own)
      .filter(({ pattern, question }) => pattern !== '*' && !policyAllows(own, question))
      .map(({ sid, question }) => `${sid} ${question.action}`)
    expect(refused).toEqual([])
  })

  it.each(
    documents.flatMap((name) => [
      { name, mine: 'blue', theirs: 'prod-blue' },
      { name, mine: 'prod-blue', theirs: 'blue' }
    ])
  )('$name of cluster $mine reaches nothing of $theirs', ({ name, mine, theirs }) => {
    const own = record(policy(name, mine))
    // It reads whatever role an EC2NodeClass of one's own names, and a run does without.
    const statements = list(own['Statement']).filter((one) => record(one)['Sid'] !== 'NodeClassRoles')
    const needed = { ...own, Statement: statements }
    // What both have word for word is of the account, not of a cluster.
    const shared = new Set(grantsOf(needed).map(({ pattern }) => pattern))
    const reached = grantsOf(policy(name, theirs))
      .filter(({ pattern, question }) => {
        const ofCluster = JSON.stringify(question.context).includes(theirs)
        return (!shared.has(pattern) || ofCluster) && policyAllows(needed, question)
      })
      .map(({ sid, question }) => `${sid} ${question.action} on ${question.resource}`)
    expect(reached).toEqual([])
  })

  it('delete from EC2 nothing but what Karpenter made: the cluster tag alone is on node groups and volumes too', () => {
    const own = policy('uninstall', 'blue')
    const asked = (tags: Record<string, string>) =>
      policyAllows(own, {
        action: 'ec2:TerminateInstances',
        resource: 'arn:aws:ec2:eu-west-1:111122223333:instance/i-1',
        context: Object.fromEntries(
          Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value])
        ),
        principal: 'arn:aws:sts::111122223333:assumed-role/deployer/run',
        accountId: '111122223333'
      })
    const owned = { 'kubernetes.io/cluster/blue': 'owned' }
    expect(asked(owned)).toBe(false)
    expect(asked({ ...owned, 'karpenter.sh/nodepool': 'default' })).toBe(true)
    expect(asked({ 'kubernetes.io/cluster/green': 'owned', 'karpenter.sh/nodepool': 'default' })).toBe(false)
  })

  it('let in by an access entry no other role than that of the nodes', () => {
    const own = policy('install', 'blue')
    const asked = (role: string) =>
      policyAllows(own, {
        action: 'eks:CreateAccessEntry',
        resource: 'arn:aws:eks:eu-west-1:111122223333:cluster/blue',
        context: { 'eks:principalArn': `arn:aws:iam::111122223333:role/${role}` },
        principal: 'arn:aws:sts::111122223333:assumed-role/deployer/run',
        accountId: '111122223333'
      })
    expect([asked('KarpenterNodeRole-blue'), asked('administrator')]).toEqual([true, false])
  })

  /** IAM quotas; white space is not counted. The longest name that Karpenter 1.9 and newer take, in every kind of region. */
  const regions = ['ap-southeast-1', 'us-gov-west-1', 'cn-northwest-1']
  const size = (name: Name, region: string): number =>
    text(name, 'a'.repeat(46), region).replaceAll(/\s/g, '').length

  it.each(regions)('fit where the documents put them in %s: install inline, the others managed', (region) => {
    expect(size('install', region)).toBeLessThanOrEqual(10_240)
    for (const name of ['uninstall', 'check', 'smoke-test'] as const) {
      expect({ name, size: Math.min(size(name, region), 6_144) }).toEqual({ name, size: size(name, region) })
    }
  })
})
