import { policyAllows } from '../../sandbox/cloud/authorisation.js'
import { policiesOfMode } from '../../sandbox/cluster/deployer.js'
import { list, record } from '../../sandbox/values.js'
import { madeUpPrefix } from '../../src/aws/stack-rules.js'
import { testedPatches } from '../../src/karpenter/releases.js'
import { builtInTemplate } from '../../src/karpenter/template-built-in.js'
import { type Document, documents, grantsOf, policy, text } from './grants.js'

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
      { name, mine: 'prod-blue', theirs: 'blue' },
      { name, mine: 'blue', theirs: 'blue-green' },
      { name, mine: 'blue-green', theirs: 'blue' }
    ])
  )('$name of cluster $mine reaches nothing of $theirs', ({ name, mine, theirs }) => {
    const needed = withoutReadsOfAny(policy(name, mine))
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

  it('tag for discovery nothing of another VPC, where the VPC is named', () => {
    const allows = (name: string, vpc: string, type: string) =>
      policyAllows(policy('install', name), {
        action: 'ec2:CreateTags',
        resource: `arn:aws:ec2:eu-west-1:111122223333:${type}/id`,
        context: {
          'aws:RequestTag/karpenter.sh/discovery': name,
          'aws:TagKeys': ['karpenter.sh/discovery'],
          'ec2:Vpc': `arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-of-${vpc}`
        },
        principal: 'arn:aws:sts::111122223333:assumed-role/deployer/run',
        accountId: '111122223333'
      })
    for (const type of ['subnet', 'security-group']) {
      expect([allows('blue', 'blue', type), allows('blue', 'prod-blue', type)]).toEqual([true, false])
      expect([allows('prod-blue', 'prod-blue', type), allows('prod-blue', 'blue', type)]).toEqual([
        true,
        false
      ])
      expect(allows('*', '*', type)).toBe(true)
    }
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

  const ruleIds = new Set(
    testedPatches.flatMap((version) =>
      Object.entries(record(record(builtInTemplate(version))['Resources']))
        .filter(([, resource]) => record(resource)['Type'] === 'AWS::Events::Rule')
        .map(([logicalId]) => logicalId)
    )
  )
  /** As CloudFormation makes them up. */
  const ruleNames = (clusterName: string): readonly string[] =>
    [...ruleIds].map((id) => `${madeUpPrefix(`Karpenter-${clusterName}`, id).text}-a1B2c3D4e5F6`)
  const asksForRule = (own: unknown, action: string, name: string): boolean =>
    policyAllows(own, {
      action,
      resource: `arn:aws:events:eu-west-1:111122223333:rule/${name}`,
      context: { 'aws:CalledVia': ['cloudformation.amazonaws.com'] },
      principal: 'arn:aws:sts::111122223333:assumed-role/deployer/run',
      accountId: '111122223333'
    })
  const onRules = [
    ['install', 'events:PutRule'],
    ['install', 'events:DeleteRule'],
    ['uninstall', 'events:DeleteRule'],
    ['check', 'events:ListTargetsByRule']
  ] as const

  it.each(onRules)('%s: %s on every rule of the stack, however long its name is', (name, action) => {
    expect(ruleIds.size).toBe(5)
    for (const cluster of ['blue', 'blue-green', 'a-14-character', 'fifteen-letters', 'a'.repeat(46)]) {
      const refused = ruleNames(cluster).filter((rule) => !asksForRule(policy(name, cluster), action, rule))
      expect({ cluster, refused }).toEqual({ cluster, refused: [] })
    }
  })

  it.each(onRules)('%s: %s on no rule of a stack whose name goes on after this one', (name, action) => {
    const pairs = [
      ['blue', 'blue-green'],
      ['blue-green', 'blue'],
      ['blue', 'blue-green-with-a-long-name-that-is-cut'],
      ['a-14-character', 'a-14-characters-and-more'],
      ['one-more-than-that-is-cut', 'another-more-than-that-is-cut']
    ] as const
    for (const [mine, theirs] of pairs) {
      const reached = ruleNames(theirs).filter((rule) => asksForRule(policy(name, mine), action, rule))
      expect({ mine, theirs, reached }).toEqual({ mine, theirs, reached: [] })
    }
  })

  /**
   * IAM's quotas, white space not counted: a managed policy 6,144 characters, ten of them a role, 2,048 of trust policy, 10,240
   * for the inline policies of a role together (IAM and STS quotas, IAM user guide). The longest name that Karpenter 1.9 and
   * newer take, in the longest regions of each partition.
   */
  const regions = ['ap-southeast-1', 'us-gov-west-1', 'cn-northwest-1']
  const size = (name: Document, region: string, clusterName = 'a'.repeat(46)): number =>
    text(name, clusterName, region).replaceAll(/\s/g, '').length
  const roles = {
    'installs and upgrades': policiesOfMode['bounded-install'],
    'installs and upgrades without a boundary': policiesOfMode.install,
    'installs by a service role of the stack': policiesOfMode['stack-role-install'],
    'is the service role': policiesOfMode['stack-role'],
    checks: policiesOfMode.check,
    removes: policiesOfMode.uninstall,
    proves: policiesOfMode['smoke-test'],
    'installs and removes (test-cluster.yml)': [
      ...policiesOfMode['bounded-install'],
      ...policiesOfMode.uninstall
    ],
    'checks on pull requests and installs after them (upgrade.yml)': [
      ...policiesOfMode.check,
      ...policiesOfMode['bounded-install']
    ]
  }

  it.each(regions)('each fits into a managed policy in %s', (region) => {
    const sizes = documents.map((name) => ({ name, size: size(name, region) }))
    expect(sizes.filter(({ size: of }) => of > 6_144)).toEqual([])
    expect(size('install-trust', region)).toBeLessThanOrEqual(2_048)
  })

  it.each(Object.entries(roles))(
    'a role that %s has room for its policies, for two clusters too',
    (_, names) => {
      expect(2 * names.length).toBeLessThanOrEqual(10)
      expect(new Set(names).size).toBe(names.length)
    }
  )

  it('fit inline where the README says so: the check of two clusters, whatever they are called', () => {
    for (const region of regions) expect(2 * size('check', region)).toBeLessThanOrEqual(10_240)
  })

  it.each(documents.filter((name) => name !== 'boundary'))(
    '%s with a pattern for a name allows what the clusters of that pattern need',
    (name) => {
      const pattern = policyForClusters(name, 'team-*')
      const refused = ['team-a', 'team-blue-green'].flatMap((cluster) =>
        grantsOf(policy(name, cluster))
          .filter(({ pattern: on, question }) => on !== '*' && !policyAllows(pattern, question))
          .map(({ sid, question }) => `${sid} ${question.action}`)
      )
      // The cluster is part of a condition's key there, where IAM knows no pattern.
      expect([...new Set(refused)].filter((one) => !one.startsWith('RemoveFromEc2'))).toEqual([])
      const needed = withoutReadsOfAny(pattern)
      const reached = grantsOf(withoutReadsOfAny(policy(name, 'blue')))
        .filter(({ question }) => JSON.stringify(question).includes('blue'))
        .filter(({ question }) => policyAllows(needed, question))
      // A provider is of the account: its id says nothing of the cluster.
      expect([...new Set(reached.map(({ sid }) => sid))].filter((sid) => sid !== 'OidcProvider')).toEqual([])
    }
  )
})

/** As the README says for several clusters on one role. */
function policyForClusters(name: Document, pattern: string): unknown {
  return JSON.parse(text(name, pattern).replaceAll(/\/id\/[0-9A-F]{32}/g, '/id/*'))
}

/** Of what an EC2NodeClass of one's own names, every role and profile is read, and a run does without. */
function withoutReadsOfAny(document: unknown): unknown {
  const statements = list(record(document)['Statement']).filter(
    (one) => !['NodeClassRoles', 'ProfilesOfNodeClasses'].includes(String(record(one)['Sid']))
  )
  return { ...record(document), Statement: statements }
}
