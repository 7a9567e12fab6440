import { existsSync, readFileSync } from 'node:fs'
import { samePolicy } from '../../src/aws/policy-document.js'
import { UserError } from '../../src/engine/errors.js'
import {
  adaptTemplate,
  loadTemplate,
  policyNames,
  policySizes,
  queueName,
  type RenderedResource,
  renderTemplate,
  upstreamTemplateUrl
} from '../../src/karpenter/template.js'
import { builtInTemplate } from '../../src/karpenter/template-built-in.js'

const facts = {
  clusterName: 'blue',
  account: '111122223333',
  partition: 'aws-us-gov',
  region: 'us-gov-west-1',
  urlSuffix: 'amazonaws.com',
  stackName: 'Karpenter-blue'
}

function upstreamPath(version: string): string {
  return `../shared/upstream/${version}/cloudformation.yaml`
}
const upstreamVersions = ['1.2.1', '1.8.6', '1.14.0'].filter((version) => existsSync(upstreamPath(version)))

function byId(resources: readonly RenderedResource[]): Map<string, RenderedResource> {
  return new Map(resources.map((resource) => [resource.logicalId, resource]))
}

// Needs upstream's published templates in ../shared/upstream; left out, by name, where they are absent.
const againstUpstream = upstreamVersions.length > 0 ? describe : describe.skip
againstUpstream("built-in template against upstream's own", () => {
  it.each(upstreamVersions)('is the same stack for %s, statement by statement', (version) => {
    const upstream = byId(renderTemplate(readFileSync(upstreamPath(version), 'utf8'), facts))
    const own = byId(renderTemplate(builtInTemplate(version), facts))
    expect([...own.keys()].sort()).toEqual([...upstream.keys()].sort())
    for (const [id, theirs] of upstream) {
      const ours = own.get(id)
      expect([ours?.type, ours?.name]).toEqual([theirs.type, theirs.name])
      if (theirs.type === 'AWS::IAM::ManagedPolicy') {
        expect(samePolicy(ours?.properties['PolicyDocument'], theirs.properties['PolicyDocument'])).toBe(true)
      } else expect(ours?.properties).toEqual(theirs.properties)
    }
  })
})

describe('built-in template', () => {
  it.each([
    ['1.0.8', 8, 1],
    ['1.8.6', 8, 1],
    ['1.9.0', 12, 5],
    ['1.10.0', 13, 5],
    ['1.12.0', 14, 6],
    ['1.14.1', 14, 6]
  ])('has for %s %d resources, %d of them policies', (version, resources, policies) => {
    const rendered = renderTemplate(builtInTemplate(version), facts)
    expect(rendered).toHaveLength(resources)
    expect(policyNames(rendered)).toHaveLength(policies)
  })

  // Figures of the longest cluster name that fits: fact sheet section 1, computed from upstream's files.
  it.each([
    ['1.2.1', 'us-west-2', 'aws', 50],
    ['1.2.1', 'us-gov-west-1', 'aws-us-gov', 32],
    ['1.8.6', 'us-west-2', 'aws', 35],
    ['1.8.6', 'us-gov-west-1', 'aws-us-gov', 16]
  ])('fits %s in %s (%s) up to a cluster name of %d characters', (version, region, partition, longest) => {
    const sizeOf = (length: number): number =>
      Math.max(
        ...policySizes(
          renderTemplate(builtInTemplate(version), {
            ...facts,
            region,
            partition,
            clusterName: 'a'.repeat(length)
          })
        ).map(({ size }) => size)
      )
    expect(sizeOf(longest)).toBeLessThanOrEqual(6144)
    expect(sizeOf(longest + 1)).toBeGreaterThan(6144)
  })
})

describe('renderTemplate', () => {
  it('resolves names and ARNs of the partition before anything is there', () => {
    const resources = renderTemplate(builtInTemplate('1.14.0'), facts)
    expect(queueName(resources)).toBe('blue')
    const passing = JSON.stringify(byId(resources).get('IAMIntegrationPolicy')?.properties['PolicyDocument'])
    expect(passing).toContain('arn:aws-us-gov:iam::111122223333:role/KarpenterNodeRole-blue')
    expect(passing).not.toContain('${')
  })
})

describe('adaptTemplate', () => {
  const wanted = {
    clusterName: 'blue',
    nodeRoleName: 'KarpenterNodeRole-blue',
    permissionsBoundary: undefined
  }

  it('leaves the text as it is when nothing is asked for', () => {
    const text = 'Resources: {}\n# as upstream wrote it\n'
    expect(adaptTemplate(text, wanted)).toBe(text)
  })

  it("sets the node role's name and the boundary, and nothing else", () => {
    const boundary = 'arn:aws:iam::111122223333:policy/edge'
    const text = adaptTemplate(builtInTemplate('1.14.0'), {
      ...wanted,
      nodeRoleName: 'nodes',
      permissionsBoundary: boundary
    })
    const adapted = byId(renderTemplate(text, facts))
    const plain = byId(renderTemplate(builtInTemplate('1.14.0'), facts))
    expect(adapted.get('KarpenterNodeRole')?.properties).toEqual({
      ...plain.get('KarpenterNodeRole')?.properties,
      RoleName: 'nodes',
      PermissionsBoundary: boundary
    })
    expect(adapted.get('NodeLifecyclePolicy')).toEqual(plain.get('NodeLifecyclePolicy'))
    expect(JSON.stringify(adapted.get('IAMIntegrationPolicy'))).toContain('role/nodes')
  })

  it('turns short forms into JSON that CloudFormation takes', () => {
    const text =
      'Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: !Sub "a-${ClusterName}"\n      Path: !GetAtt B.Arn\n'
    expect(JSON.parse(adaptTemplate(text, { ...wanted, permissionsBoundary: 'b' }))).toEqual({
      Resources: {
        R: {
          Type: 'AWS::IAM::Role',
          Properties: {
            RoleName: { 'Fn::Sub': 'a-${ClusterName}' },
            Path: { 'Fn::GetAtt': ['B', 'Arn'] },
            PermissionsBoundary: 'b'
          }
        }
      }
    })
  })
})

describe('loadTemplate', () => {
  const ports = { fetchText: async () => undefined, readFile: () => 'Resources: {}' }

  it("takes upstream's preview copy at the version's tag", () => {
    expect(upstreamTemplateUrl('1.2.1').href).toBe(
      'https://raw.githubusercontent.com/aws/karpenter-provider-aws/v1.2.1/website/content/en/preview/getting-started/getting-started-with-karpenter/cloudformation.yaml'
    )
  })

  it('says what to do when the public host cannot be reached', async () => {
    const refused = { ...ports, fetchText: async () => Promise.reject(new Error('connect ECONNREFUSED')) }
    await expect(loadTemplate({ kind: 'upstream' }, '1.2.1', refused)).rejects.toMatchObject({
      message: expect.stringMatching(/^template: https:.*could not be reached: connect ECONNREFUSED/),
      fix: expect.stringContaining('template: built-in')
    })
  })

  it('refuses a version that was never published', async () => {
    await expect(loadTemplate({ kind: 'upstream' }, '1.2.99', ports)).rejects.toThrow('does not exist')
  })

  it('refuses a file that is no template', async () => {
    const loading = loadTemplate({ kind: 'path', path: 'a.yaml' }, '1.2.1', {
      ...ports,
      readFile: () => 'no: template'
    })
    await expect(loading).rejects.toBeInstanceOf(UserError)
  })
})
