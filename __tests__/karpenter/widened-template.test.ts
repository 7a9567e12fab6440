import { isMap, mapAt, type JsonMap } from '../../src/engine/json.js'
import { statementsOf } from '../../src/aws/policy/statements.js'
import { renderedRoles } from '../../src/karpenter/rendered-roles.js'
import { renderTemplate, type RenderedStack } from '../../src/karpenter/rendered-stack.js'
import { adaptTemplate } from '../../src/karpenter/template.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { templateDifferences } from '../../src/karpenter/template-differences.js'
import { parseTemplate } from '../../src/karpenter/template-syntax.js'
import { widenedTemplate } from '../../src/karpenter/widened-template.js'

const settings = {
  clusterName: 'blue',
  stackName: 'Karpenter-blue',
  account: { id: '111122223333', partition: 'aws' as const, region: 'eu-west-1', urlSuffix: 'amazonaws.com' }
}

const widened = (target: string, live: string, clusterName = 'blue', parameters = {}) =>
  widenedTemplate(target, { template: live, parameters }, { ...settings, clusterName })
const render = (text: string): RenderedStack => renderTemplate(text, settings)
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])

/** Conditions with one value each, of which one must hold. */
function alternatives(condition: unknown): readonly string[] {
  const pairs = Object.entries(isMap(condition) ? condition : {}).flatMap(([operator, keys]) =>
    Object.entries(isMap(keys) ? keys : {}).map(([key, values]) =>
      listOf(values).map((value) => `${operator} ${key}=${String(value)}`)
    )
  )
  return pairs.reduce<readonly string[]>(
    (all, values) => all.flatMap((before) => values.map((value) => `${before} ${value}`)),
    ['']
  )
}

/** One text for each action on one resource under one condition. */
function grants({ policies }: RenderedStack): ReadonlySet<string> {
  const all = policies.flatMap(({ document }) =>
    statementsOf(document).flatMap((statement) =>
      listOf(statement['Action']).flatMap((action) =>
        listOf(statement['Resource']).flatMap((resource) =>
          alternatives(statement['Condition']).map(
            (condition) => `${String(action)} ${String(resource)}${condition}`
          )
        )
      )
    )
  )
  return new Set(all)
}

/** What holds without a condition holds with each. */
function lacking(grants: ReadonlySet<string>, allowed: ReadonlySet<string>): readonly string[] {
  return [...grants].filter(
    (grant) => !allowed.has(grant) && !allowed.has(grant.split(' ').slice(0, 2).join(' '))
  )
}

const resources = (text: string): JsonMap => mapAt(parseTemplate(text).body, 'Resources')

const versions = [
  '1.0.0',
  '1.1.0',
  '1.2.1',
  '1.3.0',
  '1.8.6',
  '1.9.0',
  '1.11.0',
  '1.12.0',
  '1.13.0',
  '1.14.0'
]
const pairs = versions.flatMap((from) =>
  versions.filter((to) => to !== from).map((to): readonly [string, string] => [from, to])
)

const full = ['1.3.0 1.0.0', '1.8.6 1.0.0', '1.8.6 1.1.0', '1.8.6 1.2.1']

describe('A stack between two versions', () => {
  it.each(pairs)('allows from %s to %s all that either allows, each policy within its limit', (from, to) => {
    const [live, target] = [builtInTemplateText(from), builtInTemplateText(to)]
    const { text, narrowed } = widened(target, live)
    const allowed = grants(render(text))
    expect(lacking(grants(render(target)), allowed)).toEqual([])
    // One policy has no room for all of two versions; what is lost then is launches into reserved capacity.
    const lost = lacking(grants(render(live)), allowed).filter(
      (grant) => !grant.includes('capacity-reservation/')
    )
    expect(lost).toEqual([])
    expect(narrowed.length > 0).toBe(full.includes(`${from} ${to}`))
    for (const { size } of render(text).policies) expect(size).toBeLessThanOrEqual(6144)
  })

  it.each(pairs)('is the same again from %s to %s when it has been made already', (from, to) => {
    const target = builtInTemplateText(to)
    const first = widened(target, builtInTemplateText(from)).text
    expect(templateDifferences(widened(target, first).text, first)).toEqual([])
  })

  it('has the policies of both where they were split', () => {
    const { text } = widened(builtInTemplateText('1.14.0'), builtInTemplateText('1.2.1'))
    expect(render(text).policies.map(({ logicalId }) => logicalId)).toEqual([
      'NodeLifecyclePolicy',
      'IAMIntegrationPolicy',
      'EKSIntegrationPolicy',
      'InterruptionPolicy',
      'ZonalShiftPolicy',
      'ResourceDiscoveryPolicy',
      'KarpenterControllerPolicy'
    ])
  })

  it('keeps the rules and node policies of the newer one on the way back', () => {
    const { text } = widened(builtInTemplateText('1.2.1'), builtInTemplateText('1.14.0'))
    expect(resources(text)).toHaveProperty('CapacityReservationInterruptionRule')
    const [role] = renderedRoles(render(text))
    expect(role?.policyArns).toEqual(
      [
        'AmazonEKS_CNI_Policy',
        'AmazonEKSWorkerNodePolicy',
        'AmazonEC2ContainerRegistryReadOnly',
        'AmazonSSMManagedInstanceCore',
        'AmazonEC2ContainerRegistryPullOnly'
      ].map((name) => `arn:aws:iam::aws:policy/${name}`)
    )
  })

  it('keeps one lost action as one short statement', () => {
    const { text } = widened(builtInTemplateText('1.1.0'), builtInTemplateText('1.0.0'))
    const [policy] = render(text).policies
    const before = statementsOf(policy?.document ?? {}).slice(-1)
    expect(before).toEqual([
      {
        Sid: 'AllowRegionalReadActionsBefore',
        Effect: 'Allow',
        Action: 'ec2:DescribeAvailabilityZones',
        Resource: '*',
        Condition: { StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } }
      }
    ])
  })

  it('says which policy has no room for that', () => {
    const clusterName = 'a'.repeat(60)
    const target = builtInTemplateText('1.1.0')
    expect(widened(target, builtInTemplateText('1.0.0'), clusterName)).toEqual({
      text: target,
      narrowed: [`KarpenterControllerPolicy-${clusterName}`]
    })
  })

  it('is the target itself, to the letter, where the standing stack has nothing besides', () => {
    const target = builtInTemplateText('1.14.0')
    const rest = Object.fromEntries(
      Object.entries(resources(target)).filter(
        ([logicalId]) => logicalId !== 'CapacityReservationInterruptionRule'
      )
    )
    const live = JSON.stringify({ ...parseTemplate(target).body, Resources: rest })
    expect(widened(target, live)).toEqual({ text: target, narrowed: [] })
    expect(widened(target, target).text).toBe(target)
    expect(widened(target, '').text).toBe(target)
    expect(widened(target, '{ no template').text).toBe(target)
  })

  it('has what policies of a standing stack without a node role allow besides', () => {
    const old = builtInTemplateText('1.12.0')
    const others = { nodeRoleArn: 'arn:aws:iam::111122223333:role/KarpenterNodeRole-blue' }
    const live = adaptTemplate(old, {
      clusterName: 'blue',
      nodeRoleName: 'KarpenterNodeRole-blue',
      nodeRolePolicies: [],
      permissionsBoundary: undefined,
      others
    })
    expect(resources(live)).not.toHaveProperty('KarpenterNodeRole')
    const { text } = widened(builtInTemplateText('1.14.0'), live)
    expect(lacking(grants(render(old)), grants(render(text)))).toEqual([])
  })

  it('has what the kept resources refer to, a parameter with its value as default', () => {
    const target = builtInTemplateText('1.14.0')
    const live = JSON.stringify({
      Parameters: { ClusterName: { Type: 'String' }, Team: { Type: 'String' } },
      Mappings: { Names: { eu: { name: 'x' } } },
      Conditions: { HasTeam: { 'Fn::Equals': [{ Ref: 'Team' }, 'finance'] } },
      Outputs: { Own: { Value: { Ref: 'Team' } } },
      Resources: { Own: { Type: 'AWS::SNS::Topic', Condition: 'HasTeam' } }
    })
    const { body } = parseTemplate(
      widened(target, live, 'blue', { ClusterName: 'blue', Team: 'finance' }).text
    )
    expect(body['Parameters']).toMatchObject({ Team: { Type: 'String', Default: 'finance' } })
    expect(body['Mappings']).toEqual({ Names: { eu: { name: 'x' } } })
    expect(mapAt(body, 'Conditions')).toHaveProperty('HasTeam')
    expect(body).not.toHaveProperty('Outputs')
    expect(mapAt(body, 'Resources')).toHaveProperty('Own')
  })
})
