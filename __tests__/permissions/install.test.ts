import { readFileSync } from 'node:fs'
import { policyAllows } from '../../sandbox/cloud/authorisation.js'
import { filled } from '../../sandbox/cluster/deployer.js'
import { homeOf } from '../../sandbox/cloud/partition.js'
import { list, record } from '../../sandbox/values.js'
import { renderTemplate } from '../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { type Need, needsOf, type PlannedInstall } from '../../src/permissions/install.js'

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
  controllerRoleName: 'blue-karpenter',
  stackName,
  stack: renderTemplate(builtInTemplateText(version), { clusterName, stackName, account }),
  nodeAccess: 'access-entry',
  discovered: [
    'arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-1',
    'arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1'
  ],
  oidcProviderArn: 'arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC',
  permissionsBoundary: undefined,
  stateOf,
  ...more
})

/** The published policy, statement by statement. */
const statements = new Map(
  list(
    record(
      JSON.parse(
        filled(readFileSync('docs/permissions/install.json', 'utf8'), {
          home: homeOf(account.id, account.region),
          clusterName,
          roleName: 'deployer',
          repository: 'my-org/my-repo',
          repositoryId: '1',
          ownerId: '2'
        })
      )
    )['Statement']
  ).map((one) => [String(record(one)['Sid']), record(one)])
)

function allowed({ statement, actions, resources, context }: Need): readonly string[] {
  const policy = { Version: '2012-10-17', Statement: [statements.get(statement)] }
  return actions.flatMap((action) =>
    resources
      .filter(
        (resource) =>
          !policyAllows(policy, {
            action,
            resource,
            context,
            principal: 'arn:aws:sts::111122223333:assumed-role/deployer/run',
            accountId: account.id
          })
      )
      .map((resource) => `${statement}: ${action} on ${resource}`)
  )
}

describe('needsOf', () => {
  it.each(['1.2.1', '1.8.6', '1.14.1'])(
    'asks for nothing that its statement of docs/permissions/install.json does not allow, whatever differs (%s)',
    (version) => {
      for (const state of ['absent', 'differs'] as const) {
        const needs = needsOf(planned(version, () => state))
        expect(needs.length).toBeGreaterThan(3)
        expect(needs.filter(({ statement }) => !statements.has(statement))).toEqual([])
        expect(needs.flatMap(allowed)).toEqual([])
      }
    }
  )

  it('asks of a first installation about every statement that writes', () => {
    const asked = new Set(needsOf(planned('1.14.1', () => 'absent')).map(({ statement }) => statement))
    const reading = /^(eks|ec2|iam|sqs|ssm|events|cloudformation):(Get|List|Describe|Simulate)/
    const writing = [...statements].filter(([, statement]) =>
      [statement['Action']].flat().some((action) => !reading.test(String(action)))
    )
    // Queue and rules are put right without the stack only once there is one.
    const later = ['Queue', 'Rules', 'QueueRepair', 'RulesRepair']
    const left = writing.map(([sid]) => sid).filter((sid) => !asked.has(sid) && !later.includes(sid))
    expect(left).toEqual([])
  })

  it('asks about nothing when all is as wanted', () => {
    expect(needsOf(planned('1.14.1', () => 'as wanted'))).toEqual([])
  })

  it('leaves the access entry out where nodes join by aws-auth', () => {
    const needs = needsOf(planned('1.14.1', () => 'absent', { nodeAccess: 'aws-auth' }))
    expect(needs.map(({ statement }) => statement)).not.toContain('NodeAccess')
  })

  it('costs few requests: needs under the same conditions go together', () => {
    const contexts = needsOf(planned('1.14.1', () => 'absent')).map(({ context }) => JSON.stringify(context))
    expect(new Set(contexts).size).toBeLessThanOrEqual(8)
  })
})
