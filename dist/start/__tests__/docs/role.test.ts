import { readdirSync, readFileSync } from 'node:fs'
import { list, record } from '../../sandbox/values.js'
import { filesOfTemplate, roleTemplate } from '../../scripts/role/template.js'
import { placeholders, terraformPolicy } from '../../scripts/role/terraform.js'
import { parseTemplate } from '../../src/karpenter/template-syntax.js'
import { type Document, documents, policy } from './grants.js'

const folder = 'docs/permissions'
const policyText = (name: string): string => readFileSync(`${folder}/${name}.json`, 'utf8')
const template = readFileSync(`${folder}/role.yaml`, 'utf8')
const parsed = parseTemplate(template)
const resources = parsed.resources.map(({ logicalId, ...rest }) => ({ id: logicalId, ...rest }))
const managed = resources.filter(({ type }) => type === 'AWS::IAM::ManagedPolicy')

const isDocument = (name: string): name is Document => documents.some((one) => one === name)

/** Of the cluster of grants.ts. */
const values: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::Region': 'eu-west-1',
  'AWS::AccountId': '111122223333',
  ClusterName: 'blue',
  ClusterOidcId: Buffer.from('blue').toString('hex').padEnd(32, '0').toUpperCase(),
  VpcId: 'vpc-of-blue',
  RulesOfStack: 'Karpenter-blue'
}
const names: Readonly<Record<string, string>> = {
  PARTITION: 'aws',
  URL_SUFFIX: 'amazonaws.com',
  REGION: 'eu-west-1',
  ACCOUNT_ID: '111122223333',
  CLUSTER_NAME: 'blue',
  OIDC_ID: values['ClusterOidcId'] ?? '',
  VPC_ID: 'vpc-of-blue',
  RULES_OF_STACK: 'Karpenter-blue',
  ROLE_NAME: 'setup-karpenter-blue'
}
const substituted = (text: string, by: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => by[name] ?? `no value for ${name}`)
/** The text that `Fn::Sub` is given. */
const sub = (value: unknown): string => String(record(value)['Fn::Sub'])

describe('docs/permissions/role.yaml', () => {
  it('is what the policies come to; `npm run docs` renews it', () => {
    expect(template).toBe(roleTemplate(policyText))
  })

  it('is small enough to be deployed from a file', () => {
    expect(Buffer.byteLength(template)).toBeLessThan(51_200)
  })

  it('has each policy of an install, an uninstall and a check, word for word', () => {
    const made = managed.map(
      ({ properties }) => JSON.parse(substituted(sub(properties['PolicyDocument']), values)) as unknown
    )
    expect(made).toEqual(filesOfTemplate.filter(isDocument).map((name) => policy(name, 'blue')))
    expect(filesOfTemplate).toEqual(
      documents.filter((name) => name !== 'smoke-test').toSorted(inOrderOf(filesOfTemplate))
    )
  })

  it('attaches every policy but the boundary and that of the service role, each under its own condition', () => {
    const role = resources.find(({ id }) => id === 'Role')
    const attached = list(role?.properties['ManagedPolicyArns']).map((one) => {
      const [condition, policyRef, otherwise] = list(record(one)['Fn::If'])
      return { condition, id: record(policyRef)['Ref'], otherwise: record(otherwise)['Ref'] }
    })
    expect(attached).toEqual(
      managed
        .filter(({ id }) => !['PermissionsBoundary', 'ServiceRolePolicy'].includes(id))
        .map(({ id, condition }) => ({ id, condition, otherwise: 'AWS::NoValue' }))
    )
  })

  it('has a boundary, an environment and the immutable subject unless it is told otherwise', () => {
    const defaults = Object.fromEntries(
      Object.entries(parsed.parameters).map(([name, declared]) => [name, declared['Default']])
    )
    expect(defaults).toMatchObject({
      Boundary: 'yes',
      StackRole: 'no',
      VpcId: '*',
      Environment: 'karpenter',
      Branch: 'main',
      PullRequests: 'no'
    })
    const subjects = [...template.matchAll(/'(repo:[^']+)'/g)].map(([, subject = '']) => subject)
    expect(subjects.map((one) => one.includes('@'))).toEqual([true, true, false, false, true, false])
  })

  it("gives names that IAM takes, for the longest cluster's name", () => {
    const cluster = 'a'.repeat(46)
    const roles = ['setup', 'remove', 'check', 'stack'].map((prefix) => `${prefix}-karpenter-${cluster}`)
    expect(roles.filter((name) => name.length > 64)).toEqual([])
    const policies = managed.map(({ properties }) =>
      substituted(sub(properties['ManagedPolicyName']), { ClusterName: cluster })
    )
    expect(policies.filter((name) => name.length > 128)).toEqual([])
    expect(policies).toContain(`setup-karpenter-boundary-${cluster}`)
  })
})

describe('docs/permissions/terraform', () => {
  const main = readFileSync(`${folder}/terraform/main.tf`, 'utf8')
  const variables = readFileSync(`${folder}/terraform/variables.tf`, 'utf8')

  it.each(filesOfTemplate)('has policy %s, word for word; `npm run docs` renews it', (name) => {
    const text = readFileSync(`${folder}/terraform/policies/${name}.json.tftpl`, 'utf8')
    expect(text).toBe(terraformPolicy(policyText(name)))
    expect(JSON.parse(substituted(text, names))).toEqual(isDocument(name) ? policy(name, 'blue') : undefined)
  })

  it('has no policy but those, and names each', () => {
    const files = readdirSync(`${folder}/terraform/policies`).map((name) => name.replace('.json.tftpl', ''))
    expect(files.toSorted()).toEqual([...filesOfTemplate].toSorted())
    for (const name of filesOfTemplate) {
      expect(main).toMatch(
        ['boundary', 'stack-role'].includes(name)
          ? new RegExp(`policies/${name}\\.json\\.tftpl`)
          : new RegExp(`\\["${name}"\\]`)
      )
    }
  })

  it('gives each placeholder a value, and uses every variable that it declares', () => {
    const block = /names = \{\n([^}]*(?:\$\{[^}]*\}[^}]*)*)\}\n/.exec(main)?.[1] ?? ''
    const given = [...block.matchAll(/^ +([A-Z_]+) +=/gm)].map(([, name]) => name)
    expect(given.toSorted()).toEqual([...placeholders].toSorted())
    const declared = [...variables.matchAll(/^variable "(\w+)"/gm)].map(([, name = '']) => name)
    expect(declared.length).toBeGreaterThan(10)
    expect(declared.filter((name) => !main.includes(`var.${name}`))).toEqual([])
    const used = [...main.matchAll(/var\.(\w+)/g)].map(([, name = '']) => name)
    expect(used.filter((name) => !declared.includes(name))).toEqual([])
  })

  it('makes the same role as role.yaml: the same names, modes and subjects', () => {
    for (const text of [
      'install-and-uninstall',
      'setup-karpenter-boundary-',
      'stack-karpenter-',
      'cloudformation.amazonaws.com',
      'AmazonEKSClusterAdminPolicy',
      'AmazonEKSAdminViewPolicy',
      'pull_request',
      'sts.amazonaws.com.cn'
    ]) {
      expect({ text, both: [template, main].map((one) => one.includes(text)) }).toEqual({
        text,
        both: [true, true]
      })
    }
  })
})

/** A text that fills documents in as a reader does has no `sed` any more. */
it('no document has a command that edits a policy', () => {
  const pages = [
    'README.md',
    ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`)
  ]
  expect(pages.length).toBeGreaterThan(10)
  expect(pages.filter((page) => /\bsed -/.test(readFileSync(page, 'utf8')))).toEqual([])
})

function inOrderOf(order: readonly string[]): (one: string, other: string) => number {
  return (one, other) => order.indexOf(one) - order.indexOf(other)
}
