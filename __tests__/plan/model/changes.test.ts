import { dump, load } from 'js-yaml'
import { type JsonMap, mapAt } from '../../../src/engine/json.js'
import type { InstallRecord } from '../../../src/engine/record.js'
import { builtInTemplateText } from '../../../src/karpenter/template-built-in.js'
import { nobodyTrusted } from '../../sandbox/cloud/clients.js'
import { PlayedModel } from './played-model.js'
import type { Shape } from './shapes.js'

let played: PlayedModel
beforeEach(async () => {
  played = await PlayedModel.start()
})
afterEach(async () => played.stop())

const nobody = '{"Version":"2012-10-17","Statement":[]}'
const zonalShift = 'arn:aws:iam::111122223333:policy/KarpenterControllerZonalShiftPolicy-blue'
const version = (karpenterVersion: string, more: Readonly<Record<string, string>> = {}): Shape => ({
  inputs: { 'karpenter-version': karpenterVersion, ...more }
})
/** To the newest, over another. */
const over = (installed: string, more: Readonly<Record<string, string>> = {}): Shape => ({
  ...version('1.14.1', more),
  installed
})

describe('between two versions', () => {
  test('the stack and the role have what both need, and the old parts go only after helm', async () => {
    await played.installed(version('1.8.6'))
    played.cloud.clearCalls()
    const lines = await played.installed(over('1.8.6'))
    expect(Object.keys(lines)).toEqual([
      'stack',
      'controller-role-policies',
      'crds',
      'helm-release',
      'retired-parts'
    ])
    expect(lines['stack']).toEqual(['updated CloudFormation stack Karpenter-blue (7 resources)'])
    expect(lines['retired-parts']).toEqual([
      'detached KarpenterControllerPolicy-blue from blue-karpenter',
      'updated CloudFormation stack Karpenter-blue (1 resource)'
    ])
    const before = played.helm.awsBefore
    expect(before.filter((one) => one === 'iam:AttachRolePolicy')).toHaveLength(6)
    expect(before).not.toContain('iam:DetachRolePolicy')
    expect(before).not.toContain('iam:DeletePolicy')
    expect(await played.differing()).toEqual([])
  })

  test('a policy allows what either version needs, and no more than the new one after helm', async () => {
    await played.installed(version('1.12.0'))
    const lines = await played.installed(over('1.12.0'))
    // The stack alone has written policies: nothing was put back to what is wanted at last.
    expect(Object.keys(lines)).toEqual(['stack', 'crds', 'helm-release', 'retired-parts'])
    expect(played.cloud.iam.policy(zonalShift).versions).toHaveLength(3)
    expect(await played.differing()).toEqual([])
  })

  test.each([
    ['of somebody else before and after', 'theirs', 'theirs'],
    ['of somebody else before', 'theirs', 'KarpenterNodeRole-blue'],
    ['of somebody else after', 'KarpenterNodeRole-blue', 'theirs']
  ])('the same holds where the node role is %s', async (_when, before, after) => {
    const theirs = played.cloud.iam.putRole({ name: 'theirs', trust: nobodyTrusted })
    const found: Shape['found'] = {
      roleNamed: async (name) =>
        name === 'theirs' ? { ...theirs, tags: {}, permissionsBoundary: undefined } : 'absent'
    }
    await played.installed({ ...version('1.12.0', { 'node-role-name': before }), found })
    const lines = await played.installed({ ...over('1.12.0', { 'node-role-name': after }), found })
    expect(Object.keys(lines).filter((id) => id.startsWith('policy/'))).toEqual([])
    expect(played.cloud.iam.policy(zonalShift).versions).toHaveLength(3)
  })

  test('the node role keeps what nodes of the old version may need', async () => {
    const policy = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'
    await played.installed(version('1.12.0', { 'node-role-policies': policy }))
    expect(played.cloud.iam.role('KarpenterNodeRole-blue').attached).toContain(policy)
    const lines = await played.installed(over('1.12.0'))
    expect(Object.keys(lines)).toEqual(['stack', 'crds', 'helm-release', 'retired-parts'])
    expect(played.cloud.iam.role('KarpenterNodeRole-blue').attached).not.toContain(policy)
    expect(await played.differing()).toEqual([])
  })
})

/** A template of one's own: the built-in one of a version with other resources. */
function ownTemplate(change: (resources: JsonMap) => JsonMap, of = '1.14.1'): Shape {
  const template = load(builtInTemplateText(of))
  const text = dump({ ...Object(template), Resources: change(mapAt(template, 'Resources')) })
  return { inputs: { template: 'own.yaml' }, template: text }
}

test('a queue that the stack had not yet is made by the stack', async () => {
  const own = ownTemplate((resources) =>
    Object.fromEntries(
      Object.entries(resources).filter(([id]) => ['KarpenterNodeRole', 'NodeLifecyclePolicy'].includes(id))
    )
  )
  await played.installed({ ...own, inputs: { ...own.inputs, 'interruption-queue': 'none' } })
  expect(played.aws.queues.size).toBe(0)
  const lines = await played.installed({ installed: '1.14.1' })
  expect(lines['stack']).toEqual(['updated CloudFormation stack Karpenter-blue (12 resources)'])
  expect([...played.aws.queues.keys()]).toEqual(['blue'])
})

test("a role of a template of one's own is read by its own name, and may have a boundary of its own", async () => {
  const boundary = 'arn:aws:iam::aws:policy/AdministratorAccess'
  const shape = ownTemplate((resources) => ({
    ...resources,
    Second: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: 'second',
        PermissionsBoundary: boundary,
        AssumeRolePolicyDocument: nobodyTrusted
      }
    }
  }))
  const graph = await played.graph({ ...shape, inputs: { ...shape.inputs, 'permissions-boundary': 'none' } })
  expect(graph.get('role/second').wanted).toMatchObject({ permissionsBoundary: boundary })
  expect(graph.get('role/KarpenterNodeRole-blue').wanted).toMatchObject({ permissionsBoundary: 'none' })
  await played.installed(shape)
  expect(await played.differing(shape)).toEqual([])
})

test('between two versions each role of the stack keeps its own policies', async () => {
  const policy = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'
  const Properties = { RoleName: 'first', AssumeRolePolicyDocument: nobodyTrusted }
  const of = (karpenterVersion: string, policies: string): Shape => {
    const first = { Type: 'AWS::IAM::Role', Properties }
    const own = ownTemplate((resources) => ({ First: first, ...resources }), karpenterVersion)
    const inputs = { 'karpenter-version': karpenterVersion, 'node-role-policies': policies }
    return { ...own, inputs: { ...own.inputs, ...inputs } }
  }
  await played.installed(of('1.12.0', policy))
  expect(played.cloud.iam.role('KarpenterNodeRole-blue').attached).toContain(policy)
  const lines = await played.installed({ ...of('1.14.1', ''), installed: '1.12.0' })
  expect(Object.keys(lines)).toEqual(['stack', 'crds', 'helm-release', 'retired-parts'])
})

test('what is kept of the template that stands is written as it was given, not as CloudFormation answers it', async () => {
  const Properties = {
    RoleName: 'second',
    Description: 'für Knoten',
    AssumeRolePolicyDocument: nobodyTrusted
  }
  const own = ownTemplate(
    (resources) => ({ ...resources, Second: { Type: 'AWS::IAM::Role', Properties } }),
    '1.12.0'
  )
  const before = await played.graph(own)
  await played.install(before)
  const record: InstallRecord = {
    schema: 1,
    karpenterVersion: '1.14.1',
    run: '',
    time: '2026-11-01T00:00:00Z',
    resources: { stack: { before: [], wanted: before.get('stack').wanted } }
  }
  played.cloud.clearCalls()
  await played.installed({ ...over('1.14.1'), record })
  const written = played.cloud.calls().find(({ action }) => action === 'CreateChangeSet')
  expect(written?.input['TemplateBody']).toContain('für Knoten')
})

test('a stack with a policy that only CloudFormation can name is changed like any other', async () => {
  await played.installed()
  const unnamed = ownTemplate((resources) => ({
    ...resources,
    Unnamed: {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: { PolicyDocument: { Version: '2012-10-17', Statement: [] } }
    }
  }))
  await played.changeStack(unnamed.template ?? '')
  const { policies } = played.cloud.iam
  const policy = played.cloud.iam.policy(zonalShift)
  policies.set(zonalShift, {
    ...policy,
    versions: policy.versions.map((one) => ({ ...one, document: nobody }))
  })
  const role = played.cloud.iam.role('KarpenterNodeRole-blue')
  played.cloud.iam.roles.set(role.name, { ...role, attached: [] })
  expect(Object.keys(await played.installed())).toEqual([
    'policy/KarpenterControllerZonalShiftPolicy-blue',
    'role/KarpenterNodeRole-blue',
    'retired-parts'
  ])
  expect(await played.differing()).toEqual([])
})

test('CRDs that our own release has in its manifest are upgraded, and helm is told to leave them', async () => {
  await played.installed(version('1.12.0'))
  const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/nodepools.karpenter.sh'
  const found = played.server.at(crd)
  const annotations = {
    'meta.helm.sh/release-name': 'karpenter',
    'meta.helm.sh/release-namespace': 'karpenter'
  }
  played.server.put(crd, { ...found, metadata: { ...found?.metadata, annotations } })
  const lines = await played.installed(over('1.12.0'))
  expect(lines['crds']).toHaveLength(3)
  expect(played.server.at(crd)?.metadata['annotations']).toMatchObject({ 'helm.sh/resource-policy': 'keep' })
})

test('a downgrade says so of CRDs', async () => {
  await played.installed(version('1.14.1'))
  const lines = await played.installed({ ...version('1.12.0'), installed: '1.14.1' })
  expect(lines['crds']?.[0]).toBe('downgraded CRD nodepools.karpenter.sh (1.12.0)')
})
