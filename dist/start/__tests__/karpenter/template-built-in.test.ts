import { existsSync, readdirSync, readFileSync } from 'node:fs'
import semver from 'semver'
import { digestsOf, partitions } from '../../scripts/upstream/digests.js'
import { readDigests } from '../../scripts/upstream/files.js'
import { digestsAt } from '../../scripts/upstream/rows.js'
import { policyDifferences } from '../../src/aws/policy/differences.js'
import { releases, testedPatches } from '../../src/karpenter/releases.js'
import { renderTemplate, type RenderedStack } from '../../src/karpenter/rendered-stack.js'
import { adaptTemplate } from '../../src/karpenter/template.js'
import { builtInTemplate, builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { parseTemplate } from '../../src/karpenter/template-syntax.js'

const upstream = new URL('../../../shared/upstream/', import.meta.url)
const digestRows = readDigests()
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
    ['1.14.1', 14, 6],
    ['1.15.2', 14, 6]
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
    ['1.11.1', '1.12.0', ['arc-zonal-shift:getmanagedresource', 'ec2:describeinstancestatus']],
    ['1.14.3', '1.15.0', ['ec2:rebootinstances']]
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

/** Every version with which a row of the table or of the digests begins, and the newest patch of each minor. */
const versions = [
  ...new Set([
    ...digestRows.map(({ from }) => from),
    ...releases.map(({ from }) => from),
    ...testedPatches,
    '1.2.1'
  ])
].toSorted(semver.compare)

describe.each(versions)("the built-in template of %s has upstream's digests", (version) => {
  it.each(partitions)('of every resource, policy and statement in %s', (partition) => {
    const theirs = digestsAt(digestRows, version)[partition]
    const ours = digestsOf(builtInTemplateText(version), partition)
    const differing = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])].filter(
      (part) => theirs[part] !== ours[part]
    )
    expect(differing.map((part) => `${version} ${partition}: ${part}`)).toEqual([])
    expect(Object.keys(theirs).length).toBeGreaterThan(20)
  })
})

// Upstream's own texts, which are not ours to publish: compared as well where the folder is there.
for (const version of existsSync(upstream)
  ? readdirSync(upstream).filter((name) => semver.valid(name) !== null)
  : []) {
  const text = readFileSync(new URL(`${version}/cloudformation.yaml`, upstream), 'utf8')

  describe(`the built-in template beside upstream's own ${version}`, () => {
    it.each(partitions)('comes to the same digests in %s', (partition) => {
      expect(digestsOf(text, partition)).toEqual(digestsAt(digestRows, version)[partition])
    })

    it('makes the same stack', () => {
      const [theirs, ours] = [renderTemplate(text, settings), rendered(version)]
      const named = (stack: RenderedStack): unknown =>
        stack.resources.map(({ logicalId, type, name }) => ({ logicalId, type, name }))
      expect(named(ours)).toEqual(named(theirs))
      expect(
        theirs.policies.flatMap(({ name, document }) =>
          policyDifferences(document, ours.policies.find((own) => own.name === name)?.document)
        )
      ).toEqual([])
      const others = (stack: RenderedStack): unknown =>
        stack.resources.filter(({ type }) => type !== 'AWS::IAM::ManagedPolicy')
      expect(others(ours)).toEqual(others(theirs))
    })

    it('stays the same stack when it is adapted, the role aside', () => {
      const theirs = renderTemplate(text, settings)
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
      expect(role?.properties).toEqual({ ...theirs.resources[0]?.properties, PermissionsBoundary: boundary })
      expect(others).toEqual(theirs.resources.slice(1))
      expect(adapted.policies).toEqual(theirs.policies)
    })
  })
}
