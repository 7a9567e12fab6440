import { policyAllows } from '../../sandbox/cloud/authorisation.js'
import { publishedForMode } from '../../sandbox/cluster/deployer.js'
import { homeOf } from '../../sandbox/cloud/partition.js'
import { list, record } from '../../sandbox/values.js'
import { renderTemplate } from '../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import type { Need } from '../../src/aws/policy/need.js'
import { needsOf, type PlannedInstall } from '../../src/preflight/install-permissions.js'

const account = {
  id: '111122223333',
  partition: 'aws',
  region: 'eu-west-1',
  urlSuffix: 'amazonaws.com'
} as const
const clusterName = 'blue'
const stackName = 'Karpenter-blue'

const planned = (
  version: string,
  stateOf: PlannedInstall['stateOf'],
  more: Partial<PlannedInstall> = {}
): PlannedInstall => ({
  account,
  clusterName,
  vpcId: 'vpc-1',
  controllerRoleName: 'blue-karpenter',
  stackName,
  stackRoleArn: undefined,
  stack: renderTemplate(builtInTemplateText(version), { clusterName, stackName, account }),
  nodeAccess: 'access-entry',
  discovered: [
    'arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-1',
    'arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1'
  ],
  oidcProviderArn: 'arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC',
  permissionsBoundary: undefined,
  retiredPolicyArns: [],
  stateOf,
  pathsOf: () => [],
  ...more
})

const published = await publishedForMode('install', {
  home: homeOf(account.id, account.region),
  clusterName,
  issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/ABC',
  vpcId: 'vpc-1',
  roleName: 'deployer',
  repository: 'my-org/my-repo',
  repositoryId: '1',
  ownerId: '2'
})

/** What of a need the published policy does not allow. */
const lacking = ({ actions, resources, context }: Need): readonly string[] =>
  actions.flatMap((action) =>
    resources
      .filter((resource) => {
        const principal = 'arn:aws:sts::111122223333:assumed-role/deployer/run'
        const asked = { action, resource, context, principal, accountId: account.id }
        return !policyAllows(published, asked)
      })
      .map((resource) => `${action} on ${resource}`)
  )

describe('needsOf', () => {
  it.each(['1.2.1', '1.8.6', '1.14.1'])(
    'asks for nothing that docs/permissions/install.json does not allow, whatever differs (%s)',
    (version) => {
      for (const state of ['absent', 'differs'] as const) {
        const needs = needsOf(planned(version, () => state))
        expect(needs.length).toBeGreaterThan(3)
        expect(needs.flatMap(lacking)).toEqual([])
      }
    }
  )

  /** Writes that a plan does not tell in advance. */
  const untold: Readonly<Record<string, readonly string[]>> = {
    'after a stack that failed, or a change set that came to nothing': [
      'cloudformation:DeleteChangeSet',
      'cloudformation:DeleteStack'
    ],
    'of a change by somebody else, which is put back by what was changed': [
      'events:EnableRule',
      'events:RemoveTargets',
      'iam:CreatePolicyVersion',
      'iam:DeletePolicyVersion',
      'iam:DeleteRolePolicy'
    ],
    'of an update that changes what is in the stack, or takes parts or tags out of it': [
      'events:DeleteRule',
      'events:UntagResource',
      'iam:DeleteRole',
      'iam:UntagRole',
      'iam:UpdateRole',
      'iam:UpdateRoleDescription',
      'sqs:DeleteQueue',
      'sqs:UntagQueue'
    ],
    'on things whose ARN the service makes up while it makes them': [
      'cloudformation:TagResource',
      'eks:TagResource',
      'events:TagResource'
    ]
  }

  it('asks about every write of docs/permissions/install.json but those that no plan tells, and about no other', () => {
    const retiredPolicyArns = ['arn:aws:iam::111122223333:policy/KarpenterControllerPolicy-blue']
    const paths = ['trust.Statement', 'permissionsBoundary', 'tags.a']
    const asked = (['absent', 'differs'] as const).flatMap((state) =>
      ['arn:aws:iam::111122223333:policy/guard', undefined].flatMap((permissionsBoundary) => {
        const more = { retiredPolicyArns, permissionsBoundary, pathsOf: () => paths }
        return needsOf(planned('1.14.1', () => state, more)).flatMap(({ actions }) => actions)
      })
    )
    const writes = (actions: readonly string[]): readonly string[] =>
      [...new Set(actions)].filter((action) => !/:(Describe|Get|List|Simulate)/.test(action)).toSorted()
    const allowed = list(record(published)['Statement']).flatMap((one) =>
      [record(one)['Action']].flat().map(String)
    )
    expect(writes([...asked, ...Object.values(untold).flat()])).toEqual(writes(allowed))
    expect(
      Object.values(untold)
        .flat()
        .filter((action) => asked.includes(action))
    ).toEqual([])
  })

  it('asks about nothing when all is as wanted', () => {
    expect(needsOf(planned('1.14.1', () => 'as wanted'))).toEqual([])
  })

  it('asks for what an upgrade takes away, and the published policy allows it', () => {
    const retiredPolicyArns = ['arn:aws:iam::111122223333:policy/KarpenterControllerPolicy-blue']
    const stateOf = (id: string) => (id === 'retired-parts' ? 'differs' : 'as wanted')
    const needs = needsOf(planned('1.14.1', stateOf, { retiredPolicyArns }))
    expect(needs.flatMap(({ actions }) => actions)).toEqual(
      expect.arrayContaining(['iam:DetachRolePolicy', 'iam:DeletePolicy', 'cloudformation:ExecuteChangeSet'])
    )
    expect(needs.flatMap(lacking)).toEqual([])
  })

  it('asks for what a role that is there is given anew, by what differs of it', () => {
    const stateOf = (id: string) => (/^(role\/|controller-role$)/.test(id) ? 'differs' : 'as wanted')
    const permissionsBoundary = 'arn:aws:iam::111122223333:policy/guard'
    const asked = (paths: readonly string[], boundary: string | undefined) =>
      needsOf(planned('1.14.1', stateOf, { pathsOf: () => paths, permissionsBoundary: boundary }))
    const withBoundary: unknown = expect.objectContaining({ 'iam:PermissionsBoundary': permissionsBoundary })
    const trust = asked(['trust.Statement'], permissionsBoundary)
    expect(trust.map(({ actions, resources, context }) => [actions, resources, context])).toEqual(
      ['blue-karpenter', 'KarpenterNodeRole-blue'].map((name) => [
        ['iam:UpdateAssumeRolePolicy'],
        [`arn:aws:iam::111122223333:role/${name}`],
        withBoundary
      ])
    )
    const actions = (needs: readonly Need[]) => new Set(needs.flatMap((need) => need.actions))
    expect(actions(asked(['permissionsBoundary'], permissionsBoundary))).toEqual(
      new Set(['iam:PutRolePermissionsBoundary'])
    )
    expect(actions(asked(['permissionsBoundary', 'tags.a'], undefined))).toEqual(
      new Set(['iam:DeleteRolePermissionsBoundary', 'iam:TagRole'])
    )
    expect([trust, asked(['permissionsBoundary', 'tags.a'], undefined)].flat().flatMap(lacking)).toEqual([])
  })

  it('asks with the boundary of the run wherever a policy can be attached', () => {
    const permissionsBoundary = 'arn:aws:iam::111122223333:policy/guard'
    const needs = needsOf(planned('1.14.1', () => 'absent', { permissionsBoundary })).filter(({ actions }) =>
      actions.includes('iam:AttachRolePolicy')
    )
    expect(needs.length).toBeGreaterThan(1)
    expect(needs.map(({ context }) => context['iam:PermissionsBoundary'])).toEqual(
      needs.map(() => permissionsBoundary)
    )
  })

  it('leaves the access entry out where nodes join by aws-auth', () => {
    const needs = needsOf(planned('1.14.1', () => 'absent', { nodeAccess: 'aws-auth' }))
    expect(needs.flatMap(({ actions }) => actions)).not.toContain('eks:CreateAccessEntry')
  })

  it('costs few requests: needs under the same conditions go together', () => {
    const contexts = needsOf(planned('1.14.1', () => 'absent')).map(({ context }) => JSON.stringify(context))
    expect(new Set(contexts).size).toBeLessThanOrEqual(8)
  })
})
