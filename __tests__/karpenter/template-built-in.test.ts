import { existsSync, readFileSync } from 'node:fs'
import { canonicalPolicy, policyDifferences } from '../../src/aws/policy-document.js'
import { renderTemplate, type RenderedStack } from '../../src/karpenter/rendered-stack.js'
import { adaptTemplate } from '../../src/karpenter/template.js'
import { builtInTemplate, builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { parseTemplate } from '../../src/karpenter/template-syntax.js'

const upstream = new URL('../../../shared/upstream/', import.meta.url)
const settings = {
  clusterName: 'blue',
  stackName: 'Karpenter-blue',
  account: { id: '111122223333', partition: 'aws', region: 'eu-west-1', urlSuffix: 'amazonaws.com' }
} as const

const rendered = (version: string): RenderedStack => renderTemplate(builtInTemplateText(version), settings)

describe('the built-in template', () => {
  it.each([
    ['1.0.8', 8, 1],
    ['1.2.1', 8, 1],
    ['1.8.6', 8, 1],
    ['1.9.0', 12, 5],
    ['1.10.0', 13, 5],
    ['1.11.1', 13, 5],
    ['1.12.0', 14, 6],
    ['1.14.1', 14, 6]
  ])('of %s has %i resources and %i policies', (version, resources, policies) => {
    const stack = rendered(version)
    expect(stack.resources).toHaveLength(resources)
    expect(stack.policies).toHaveLength(policies)
  })

  it('says the same as YAML and as an object', () => {
    expect(parseTemplate(builtInTemplateText('1.14.1')).body).toEqual(builtInTemplate('1.14.1'))
  })

  it('swaps the registry policy of the node role at 1.4', () => {
    const arns = (version: string): string => JSON.stringify(builtInTemplate(version))
    expect(arns('1.3.0')).toContain('AmazonEC2ContainerRegistryReadOnly')
    expect(arns('1.4.0')).toContain('AmazonEC2ContainerRegistryPullOnly')
  })

  it.each([
    ['1.0.8', '1.1.1', ['ec2:describeavailabilityzones']],
    ['1.2.1', '1.3.0', ['ec2:describecapacityreservations']],
    ['1.6.2', '1.7.0', ['iam:listinstanceprofiles']],
    ['1.10.0', '1.11.1', ['ec2:describeplacementgroups']],
    ['1.11.1', '1.12.0', ['arc-zonal-shift:getmanagedresource', 'ec2:describeinstancestatus']]
  ])('from %s to %s changes these actions only', (before, after, changed) => {
    const actions = (version: string): Set<string> =>
      new Set(
        rendered(version).policies.flatMap(({ document }) =>
          [
            ...JSON.stringify(document).matchAll(/"((?:ec2|iam|ssm|sqs|eks|pricing|arc-zonal-shift):\w+)"/g)
          ].map(([, action = '']) => action.toLowerCase())
        )
      )
    const [had, has] = [actions(before), actions(after)]
    const differ = [...had, ...has].filter((action) => had.has(action) !== has.has(action))
    expect(differ.toSorted()).toEqual(changed)
  })
})

for (const version of ['1.2.1', '1.8.6', '1.14.0']) {
  const file = new URL(`${version}/cloudformation.yaml`, upstream)
  const there = existsSync(file)
  const run = there ? describe : describe.skip
  run(
    `the built-in template beside upstream's own ${version}${there ? '' : ' (left out: ../shared/upstream is absent)'}`,
    () => {
      const theirs = there ? renderTemplate(readFileSync(file, 'utf8'), settings) : rendered(version)
      const ours = rendered(version)

      it('makes the same resources under the same names', () => {
        const named = (stack: RenderedStack): unknown =>
          stack.resources.map(({ logicalId, type, name }) => ({ logicalId, type, name }))
        expect(named(ours)).toEqual(named(theirs))
      })

      it('has every policy equal, statement by statement', () => {
        for (const policy of theirs.policies) {
          const own = ours.policies.find(({ name }) => name === policy.name)
          expect(policyDifferences(policy.document, own?.document)).toEqual([])
          expect(canonicalPolicy(own?.document)).toBe(canonicalPolicy(policy.document))
        }
        expect(theirs.policies.length).toBeGreaterThan(0)
      })

      it('stays the same stack when it is adapted, the role aside', () => {
        const text = readFileSync(file, 'utf8')
        const boundary = 'arn:aws:iam::111122223333:policy/boundary'
        const adapted = renderTemplate(
          adaptTemplate(text, {
            clusterName: 'blue',
            nodeRoleName: 'KarpenterNodeRole-blue',
            nodeRolePolicies: [],
            permissionsBoundary: boundary
          }),
          settings
        )
        const [role, ...others] = adapted.resources
        expect(role?.properties).toEqual({
          ...theirs.resources[0]?.properties,
          PermissionsBoundary: boundary
        })
        expect(others).toEqual(theirs.resources.slice(1))
        expect(adapted.policies).toEqual(theirs.policies)
      })

      it('has every other resource equal', () => {
        const others = (stack: RenderedStack): unknown =>
          stack.resources
            .filter(({ type }) => type !== 'AWS::IAM::ManagedPolicy')
            .map(({ logicalId, properties }) => ({ logicalId, properties }))
        expect(others(ours)).toEqual(others(theirs))
      })
    }
  )
}
