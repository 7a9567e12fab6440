import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { putPublishedBoundary } from '../sandbox/cluster/boundary.js'
import { hold, publishedStatements } from '../sandbox/cluster/deployer-policy.js'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { errorOf } from './failed-run.js'
import { reportOf } from './scenario.js'

const inputs = { 'karpenter-version': newest, 'controller-identity': 'irsa', 'smoke-test': 'false' }
/** Refuses by itself, so that what else is found can be looked at without an installation. */
const refused = { ...inputs, 'helm-values': 'replica: 1' }

describe('nodes with a security group of their own', () => {
  let sandbox: Sandbox
  let ofNodes = ''
  const nodeRole = 'eksctl-green-nodegroup-NodeInstanceRole'
  const withTheirRole = { ...inputs, 'node-role-name': nodeRole, 'smoke-test': 'true' }
  /** Of a node role that the stack makes; docs/permissions/statements.md says that they may go. */
  const ofMadeRole = ['NodeRole', 'StackNodeRole', 'NodeRolePolicies']
  let role: unknown
  let boundary = ''

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'green',
      region: 'eu-west-1',
      kubernetesVersion: '1.34',
      runner: 'kept',
      nodeGroup: { name: 'managed', count: 2, instanceType: 'm5.large', zones: 2, ownSecurityGroup: true }
    })
    ofNodes = (await sandbox.moto.instances())[0]?.securityGroups[0] ?? ''
  })
  afterAll(async () => sandbox.stop())

  const findings = (
    result: ActionResult,
    of = 'node-security-groups'
  ): readonly Readonly<Record<string, unknown>>[] =>
    list(reportOf(result)['preflight'])
      .map(record)
      .filter(({ check }) => check === of)

  test('are warned of before the first write, with the group to pass', async () => {
    const own = sandbox.vpc.clusterSecurityGroupId
    expect(findings(await sandbox.run(refused))).toEqual([
      expect.objectContaining({
        level: 'warning',
        subject: 'security-groups',
        problem: expect.stringMatching(
          new RegExp(`^${own} \\(eks-cluster-sg-green-\\d+\\) is on none of the 2 nodes`)
        ),
        evidence: `the nodes have ${ofNodes} (green-node)`,
        fix: expect.stringContaining(`\`security-groups: ${ofNodes}\``)
      })
    ])
    expect(findings(await sandbox.run({ ...refused, 'security-groups': ofNodes }))).toEqual([])
  })

  test('that may not be read are noted', async () => {
    const published = await publishedStatements(sandbox, 'install')
    hold(
      sandbox,
      published.map((statement) => ({
        ...statement,
        ...(Array.isArray(statement['Action']) && {
          Action: list(statement['Action']).filter((action) => action !== 'ec2:DescribeInstances')
        })
      }))
    )
    const { clusters } = sandbox.cloud.eks
    const cluster = sandbox.cloud.eks.cluster('green')
    clusters.set('green', { ...cluster, ipFamily: 'ipv6' })
    // The published policies let only Karpenter's own be read.
    const policy = `arn:aws:iam::${sandbox.accountId}:policy/of-our-own`
    const result = await sandbox.run({ ...refused, 'node-role-policies': policy })
    clusters.set('green', cluster)
    hold(sandbox, published)
    expect(findings(result, 'ipv6-pods')).toEqual([
      expect.objectContaining({
        level: 'note',
        problem: expect.stringMatching(
          new RegExp(`could not be seen: policy ${policy}: the run's role may not call iam:GetPolicy`)
        )
      })
    ])
    expect(findings(result)).toEqual([
      expect.objectContaining({
        level: 'note',
        problem: expect.stringContaining("the run's role may not call ec2:DescribeInstances")
      })
    ])
  })

  test('whose pods have IPv6 addresses are told which policy to add', async () => {
    const { clusters } = sandbox.cloud.eks
    const cluster = sandbox.cloud.eks.cluster('green')
    clusters.set('green', { ...cluster, ipFamily: 'ipv6' })
    const result = await sandbox.run(refused)
    clusters.set('green', cluster)
    expect(findings(result, 'ipv6-pods')).toEqual([
      expect.objectContaining({
        level: 'warning',
        subject: 'node-role-policies',
        fix: expect.stringMatching(
          /^Pass `node-role-policies: arn:aws:iam::111122223333:policy\/AmazonEKS_CNI_IPv6_Policy`/
        )
      })
    ])
  })

  test('reach no DNS from new nodes, and the smoke test says so and what to pass', async () => {
    const own = sandbox.vpc.clusterSecurityGroupId
    // The bounded policies with the names that are one's own, as docs/permissions/statements.md says.
    const published = (await publishedStatements(sandbox, 'bounded-install')).filter(
      ({ Sid }) => !ofMadeRole.includes(String(Sid))
    )
    const text = JSON.stringify(published).replaceAll('KarpenterNodeRole-green', nodeRole)
    hold(sandbox, list(JSON.parse(text)).map(record))
    boundary = await putPublishedBoundary(sandbox, nodeRole)
    role = sandbox.cloud.iam.role(nodeRole)
    const result = await sandbox.run({
      ...withTheirRole,
      'permissions-boundary': boundary,
      'smoke-test-replicas': '1'
    })
    expect(errorOf(result)).toMatch(
      new RegExp(
        `smoke test of NodePool default: 0 of 1 pods ran after \\d+ s: nodes came, and pods on ip-\\S+ \\(i-\\w+, security groups ${own} .* do not reach the cluster's DNS`
      )
    )
    expect(errorOf(result)).toContain(`pass \`security-groups: ${ofNodes}\``)
  })

  test('are reached by nodes that have it, in an IPv6 cluster too', async () => {
    const { clusters } = sandbox.cloud.eks
    const cluster = sandbox.cloud.eks.cluster('green')
    clusters.set('green', { ...cluster, ipFamily: 'ipv6' })
    // Found by its tag, for which Karpenter looks once a minute: the install waits until it has.
    const result = await sandbox.run({
      ...withTheirRole,
      'permissions-boundary': boundary,
      'smoke-test-replicas': '1',
      'security-groups': ofNodes
    })
    clusters.set('green', cluster)
    expect(result.annotations.filter(({ level }) => level === 'error')).toEqual([])
    expect(findings(result, 'ipv6-pods')).toEqual([
      expect.objectContaining({ level: 'note', problem: expect.stringContaining('could not be seen') })
    ])
    expect(list(reportOf(result)['smokeTests']).map(record)).toEqual([
      expect.objectContaining({ nodePool: 'default', podsRunning: 1 })
    ])
  })

  test('have given the new ones their own role, which is as it was', () => {
    expect(sandbox.cloud.iam.role(nodeRole)).toEqual(role)
    expect(sandbox.cloud.iam.roles.get('KarpenterNodeRole-green')).toBeUndefined()
    expect(sandbox.cloud.iam.role('green-karpenter').boundary).toBe(boundary)
    expect(
      sandbox.cloud.iam.instanceProfiles
        .values()
        .filter(({ tags }) => tags.some(({ Key }) => Key === 'karpenter.k8s.aws/ec2nodeclass'))
        .map(({ roleName }) => roleName)
    ).toEqual([nodeRole])
  })
})
