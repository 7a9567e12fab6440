import type { Graph } from '../../../src/engine/graph.js'
import { field, textField } from '../../../src/kubernetes/manifest.js'
import { idOf, nameIn } from '../../../src/resources/ids.js'
import { changesBetween, linesOf, modelOf, removal, type Shape } from './shapes.js'

let install: Graph
beforeAll(async () => {
  install = await modelOf({})
})

test('an install by Pod Identity and access entry: each resource, and what must be there before it', () => {
  expect(linesOf(install)).toEqual([
    'controller-pods: controller-role helm-release',
    'controller-role-policies: controller-role policy/* role/* stack',
    'controller-role:',
    'crds:',
    'ec2-node-class/default: crds helm-release node-access security-group-tags subnet-tags',
    'flow-schemas:',
    'helm-release: controller-role-policies crds flow-schemas namespace pod-identity-association queue rule/* stack',
    'namespace:',
    'node-access: policy/* role/* stack',
    'node-pool/default: crds ec2-node-class/default helm-release node-access spot-service-linked-role',
    'pod-identity-agent:',
    'pod-identity-association: controller-role pod-identity-agent',
    'policy/*: stack',
    'queue: stack',
    'retired-parts: controller-role-policies helm-release stack',
    'role/*: stack',
    'rule/*: stack',
    'security-group-tags:',
    'spot-service-linked-role:',
    'stack:',
    'subnet-tags:'
  ])
})

test('what need only be written before: that it shows, or is Ready, is waited for beside what depends on it', () => {
  const pairs = install.resources.flatMap(({ id, onceWritten = [] }) =>
    onceWritten.map((one) => `${id}: ${one}`)
  )
  expect(pairs.toSorted()).toEqual([
    'helm-release: controller-role-policies',
    'node-pool/default: ec2-node-class/default',
    'pod-identity-association: pod-identity-agent'
  ])
})

const shapes: readonly (readonly [string, Shape, readonly string[]])[] = [
  [
    'by IRSA',
    { inputs: { 'controller-identity': 'irsa' } },
    [
      '- controller-pods: controller-role helm-release',
      '- controller-role:',
      '- helm-release: controller-role-policies crds flow-schemas namespace pod-identity-association queue rule/* stack',
      '- pod-identity-agent:',
      '- pod-identity-association: controller-role pod-identity-agent',
      '+ controller-pods: controller-role helm-release retired-association',
      '+ controller-role: oidc-provider',
      '+ helm-release: controller-role-policies crds flow-schemas namespace oidc-provider queue retired-association rule/* stack',
      '+ oidc-provider:',
      '+ retired-association: controller-role'
    ]
  ],
  [
    'by IRSA where a controller runs: what it is associated with goes when the next pods can do without it',
    { installed: '1.14.1', inputs: { 'controller-identity': 'irsa', 'karpenter-version': '1.14.1' } },
    [
      '- controller-pods: controller-role helm-release',
      '- controller-role:',
      '- helm-release: controller-role-policies crds flow-schemas namespace pod-identity-association queue rule/* stack',
      '- pod-identity-agent:',
      '- pod-identity-association: controller-role pod-identity-agent',
      '+ controller-pods: controller-role helm-release retired-association',
      '+ controller-role: oidc-provider',
      '+ helm-release: controller-role-policies crds flow-schemas namespace oidc-provider queue rule/* stack',
      '+ oidc-provider:',
      '+ retired-association: controller-role helm-release'
    ]
  ],
  [
    'with credentials of the values: nothing is known of what the pods are given',
    { inputs: { 'helm-values': 'controller: {env: [{name: AWS_PROFILE, value: own}]}' } },
    ['- controller-pods: controller-role helm-release']
  ],
  ['by aws-auth', { authenticationMode: 'CONFIG_MAP' }, []],
  [
    'to a newer version: what AWS refuses is seen before the CRDs are changed',
    { installed: '1.13.1', inputs: { 'karpenter-version': '1.14.1' } },
    ['- crds:', '+ crds: controller-role-policies']
  ],
  [
    'back to an older version: the chart goes before its CRDs',
    { installed: '1.14.1', inputs: { 'karpenter-version': '1.13.1' } },
    [
      '- crds:',
      '- helm-release: controller-role-policies crds flow-schemas namespace pod-identity-association queue rule/* stack',
      '+ crds: helm-release',
      '+ helm-release: controller-role-policies flow-schemas namespace pod-identity-association queue rule/* stack'
    ]
  ],
  [
    'in kube-system',
    { inputs: { namespace: 'kube-system' } },
    [
      '- flow-schemas:',
      '- helm-release: controller-role-policies crds flow-schemas namespace pod-identity-association queue rule/* stack',
      '+ helm-release: controller-role-policies crds namespace pod-identity-association queue rule/* stack'
    ]
  ],
  [
    'without NodePools',
    { inputs: { 'node-pools': 'none' } },
    [
      '- ec2-node-class/default: crds helm-release node-access security-group-tags subnet-tags',
      '- node-pool/default: crds ec2-node-class/default helm-release node-access spot-service-linked-role'
    ]
  ],
  [
    'of an installation in kube-system that was taken over, which has an EC2NodeClass and no NodePool',
    { adopted: true },
    [
      '- flow-schemas:',
      '- helm-release: controller-role-policies crds flow-schemas namespace pod-identity-association queue rule/* stack',
      '- node-pool/default: crds ec2-node-class/default helm-release node-access spot-service-linked-role',
      '+ helm-release: controller-role-policies crds namespace pod-identity-association queue rule/* stack'
    ]
  ]
]

test.each(shapes)('an install %s differs by', async (_name, shape, changes) => {
  expect(changesBetween(install, await modelOf(shape))).toEqual(changes)
})

const twoOfEach = (of: string): string => `apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: ${of} }
spec:
  role: KarpenterNodeRole-blue
  amiSelectorTerms: [{ alias: al2023@latest }]
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: blue } }]
  securityGroupSelectorTerms: [{ tags: { karpenter.sh/discovery: blue } }]
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: of-${of} }
spec:
  template:
    spec:
      nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: ${of} }
      requirements: []
`

test.each([
  [
    'an install waits for its own EC2NodeClass alone, if that is of the install',
    {},
    ['of-a: ec2-node-class/a', 'of-b: ec2-node-class/b', 'of-theirs:']
  ],
  [
    'a removal goes before each EC2NodeClass: its nodes may be of one that it had before',
    { removal },
    [
      'of-a: ec2-node-class/a ec2-node-class/b',
      'of-b: ec2-node-class/a ec2-node-class/b',
      'of-theirs: ec2-node-class/a ec2-node-class/b'
    ]
  ]
] as const)('a NodePool of %s', async (_what, shape, wanted) => {
  const theirs = twoOfEach('theirs').split('---\n').at(-1) ?? ''
  const given = [twoOfEach('a'), twoOfEach('b'), theirs].join('---\n')
  const graph = await modelOf({ ...shape, inputs: { 'node-pools': given } })
  const lines = graph.resources.flatMap(({ id, dependsOn }) => {
    const name = nameIn(idOf.nodePool, id)
    const classes = dependsOn.filter((one) => nameIn(idOf.ec2NodeClass, one) !== undefined)
    return name === undefined ? [] : [[`${name}:`, ...classes].join(' ')]
  })
  expect(lines.toSorted()).toEqual(wanted)
})

const removals: readonly (readonly [string, Shape, readonly string[]])[] = [
  [
    'by Pod Identity: nothing that a node works with goes before the last instance has ended',
    {},
    [
      '- controller-pods: controller-role helm-release',
      '- ec2-node-class/default: crds helm-release node-access security-group-tags subnet-tags',
      '- helm-release: controller-role-policies crds flow-schemas namespace pod-identity-association queue rule/* stack',
      '- node-pool/default: crds ec2-node-class/default helm-release node-access spot-service-linked-role',
      '- retired-parts: controller-role-policies helm-release stack',
      '+ ec2-node-class/default: crds helm-release instances node-access security-group-tags subnet-tags',
      '+ helm-release: controller-role-policies crds flow-schemas leftovers namespace pod-identity-association queue rule/* stack',
      '+ instances: helm-release node-access security-group-tags subnet-tags',
      '+ leftovers: stack',
      '+ node-pool/default: crds ec2-node-class/default helm-release instances node-access spot-service-linked-role'
    ]
  ],
  [
    'by IRSA',
    { inputs: { 'controller-identity': 'irsa' } },
    [
      '- controller-pods: controller-role helm-release retired-association',
      '- ec2-node-class/default: crds helm-release node-access security-group-tags subnet-tags',
      '- helm-release: controller-role-policies crds flow-schemas namespace oidc-provider queue retired-association rule/* stack',
      '- node-pool/default: crds ec2-node-class/default helm-release node-access spot-service-linked-role',
      '- retired-parts: controller-role-policies helm-release stack',
      '+ ec2-node-class/default: crds helm-release instances node-access security-group-tags subnet-tags',
      '+ helm-release: controller-role-policies crds flow-schemas leftovers namespace oidc-provider queue retired-association rule/* stack',
      '+ instances: helm-release node-access security-group-tags subnet-tags',
      '+ leftovers: stack',
      '+ node-pool/default: crds ec2-node-class/default helm-release instances node-access spot-service-linked-role'
    ]
  ],
  [
    'of what was taken over: a release that is kept goes on making nodes, which must be able to join',
    { adopted: true },
    [
      '- controller-pods: controller-role helm-release',
      '- ec2-node-class/default: crds helm-release node-access security-group-tags subnet-tags',
      '- helm-release: controller-role-policies crds namespace pod-identity-association queue rule/* stack',
      '- retired-parts: controller-role-policies helm-release stack',
      '+ ec2-node-class/default: crds helm-release instances node-access security-group-tags subnet-tags',
      '+ helm-release: controller-role-policies crds leftovers namespace node-access pod-identity-association queue rule/* stack',
      '+ instances: helm-release node-access security-group-tags subnet-tags',
      '+ leftovers: stack'
    ]
  ],
  [
    'of another version than the one that runs: the chart and the CRDs go as they always do',
    { installed: '1.14.1', inputs: { 'karpenter-version': '1.13.1' } },
    [
      '- controller-pods: controller-role helm-release',
      '- crds: helm-release',
      '- ec2-node-class/default: crds helm-release node-access security-group-tags subnet-tags',
      '- helm-release: controller-role-policies flow-schemas namespace pod-identity-association queue rule/* stack',
      '- node-pool/default: crds ec2-node-class/default helm-release node-access spot-service-linked-role',
      '- retired-parts: controller-role-policies helm-release stack',
      '+ crds:',
      '+ ec2-node-class/default: crds helm-release instances node-access security-group-tags subnet-tags',
      '+ helm-release: controller-role-policies crds flow-schemas leftovers namespace pod-identity-association queue rule/* stack',
      '+ instances: helm-release node-access security-group-tags subnet-tags',
      '+ leftovers: stack',
      '+ node-pool/default: crds ec2-node-class/default helm-release instances node-access spot-service-linked-role'
    ]
  ]
]

test.each(removals)('a removal %s, differs from its install by', async (_name, shape, changes) => {
  expect(changesBetween(await modelOf(shape), await modelOf({ ...shape, removal }))).toEqual(changes)
})

test('the ids of the model are those of idOf, each of which is in it', async () => {
  const irsa: Shape = { inputs: { 'controller-identity': 'irsa' } }
  const graphs = await Promise.all([{}, irsa, { removal }].map(async (shape) => modelOf(shape)))
  const kinds = new Set(
    graphs.flatMap(({ resources }) =>
      resources.map(
        ({ id }) =>
          Object.entries(idOf).find(([, of]) =>
            typeof of === 'string' ? of === id : nameIn(of, id) !== undefined
          )?.[0] ?? id
      )
    )
  )
  expect([...kinds].toSorted()).toEqual(Object.keys(idOf).toSorted())
})

test("node access goes by the cluster's own authentication mode", async () => {
  const titles = await Promise.all(
    (['API', 'API_AND_CONFIG_MAP', 'CONFIG_MAP'] as const).map(async (authenticationMode) =>
      (await modelOf({ authenticationMode })).titleOf('node-access')
    )
  )
  expect(titles).toEqual([
    'Node access (access entry)',
    'Node access (access entry)',
    expect.stringContaining('aws-auth')
  ])
})

test('what an installation was taken over with decides: discovery tags where its classes use them', async () => {
  expect((await modelOf({ adopted: true })).get('subnet-tags').wanted).toMatchObject({ ids: ['subnet-1'] })
  const own = [{ id: 'subnet-1' }]
  const graph = await modelOf({ adopted: true, selectors: own })
  expect(graph.get('subnet-tags').wanted).toMatchObject({ ids: [] })
  expect(graph.get('security-group-tags').wanted).toMatchObject({ ids: [] })
})

test.each([
  ['stack', 'blue'],
  ['none', undefined],
  ['theirs', 'theirs']
])('interruption-queue: %s sets the controller to %s', async (input, name) => {
  const { wanted } = (await modelOf({ inputs: { 'interruption-queue': input } })).get('helm-release')
  expect(field(wanted, 'values', 'settings', 'interruptionQueue')).toBe(name)
})

test('the stack has what the inputs say of its roles', async () => {
  const graph = await modelOf({
    inputs: {
      'permissions-boundary': 'arn:aws:iam::111122223333:policy/boundary',
      'node-role-policies': 'arn:aws:iam::111122223333:policy/nodes',
      'node-role-name': 'nodes-of-blue'
    }
  })
  const template = textField(graph.get('stack').wanted, 'template')
  expect(template).toContain('arn:aws:iam::111122223333:policy/boundary')
  expect(template).toContain('arn:aws:iam::111122223333:policy/nodes')
  expect(template).toContain('nodes-of-blue')
})

test.each<[string, string | undefined, string | undefined]>([
  ['', 'arn:aws:iam::111122223333:policy/recorded', 'arn:aws:iam::111122223333:policy/recorded'],
  ['none', 'arn:aws:iam::111122223333:policy/recorded', 'none'],
  ['', 'none', undefined],
  ['', undefined, undefined]
])(
  'the boundary of every role, asked for as "%s" and recorded as %s, is %s',
  async (asked, before, wanted) => {
    const graph = await modelOf({
      inputs: { 'permissions-boundary': asked },
      record: {
        schema: 1,
        karpenterVersion: '1.14.1',
        run: '',
        time: '2026-11-01T00:00:00Z',
        resources: { 'controller-role': { before: [], wanted: { permissionsBoundary: before } } }
      }
    })
    const roles = ['controller-role', 'role/KarpenterNodeRole-blue'].map((id) => graph.get(id).wanted)
    expect(roles.map((role) => field(role, 'permissionsBoundary'))).toEqual([wanted, wanted])
    expect(/PermissionsBoundary/.test(textField(graph.get('stack').wanted, 'template') ?? '')).toBe(
      wanted?.startsWith('arn:') === true
    )
  }
)

test.each<[string, Shape, readonly string[]]>([
  ['irsa', {}, ['controller-role', 'node-access', 'oidc-provider', 'role/*', 'stack']],
  [
    'pod-identity',
    { authenticationMode: 'CONFIG_MAP' },
    ['controller-role', 'pod-identity-agent', 'pod-identity-association', 'role/*', 'stack']
  ]
])('what can bear them has the tags that are asked for, by %s, %j', async (identity, shape, tagged) => {
  const graph = await modelOf({ ...shape, inputs: { tags: 'team=a', 'controller-identity': identity } })
  const found = graph.resources.filter(({ wanted }) => textField(wanted, 'tags', 'team') === 'a')
  expect(found.map(({ id }) => id.replace(/\/.*/, '/*')).toSorted()).toEqual(tagged)
})

test('a controller by Pod Identity has no role in its service account', async () => {
  expect(field(install.get('helm-release').wanted, 'values', 'serviceAccount')).toBeUndefined()
})

test('what is wanted carries the inputs that decide it', async () => {
  const graph = await modelOf({
    inputs: {
      'helm-values': 'logLevel: debug',
      'controller-role-policies': 'arn:aws:iam::111122223333:policy/own',
      'permissions-boundary': 'arn:aws:iam::111122223333:policy/boundary',
      tags: 'team=a',
      'controller-identity': 'irsa'
    }
  })
  expect(graph.get('helm-release').wanted).toMatchObject({
    name: 'karpenter',
    namespace: 'karpenter',
    version: '1.14.1',
    digest: `sha256:${'a'.repeat(64)}`,
    values: {
      logLevel: 'debug',
      settings: { clusterName: 'blue', interruptionQueue: 'blue' },
      serviceAccount: {
        annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/blue-karpenter' }
      }
    }
  })
  expect(graph.get('controller-role').wanted).toMatchObject({
    roleName: 'blue-karpenter',
    permissionsBoundary: 'arn:aws:iam::111122223333:policy/boundary',
    tags: { team: 'a' },
    trust: { kind: 'irsa', namespace: 'karpenter', serviceAccount: 'karpenter' }
  })
  expect(graph.get('controller-role-policies').wanted).toMatchObject({
    furtherPolicyArns: ['arn:aws:iam::111122223333:policy/own'],
    policyArns: expect.arrayContaining([
      'arn:aws:iam::111122223333:policy/KarpenterControllerInterruptionPolicy-blue'
    ]) as unknown
  })
  expect(graph.get('ec2-node-class/default').wanted).toMatchObject({
    spec: { role: 'KarpenterNodeRole-blue', tags: { team: 'a' } }
  })
  expect(graph.get('subnet-tags').wanted).toEqual({ clusterName: 'blue', ids: ['subnet-1'] })
  expect(graph.get('security-group-tags').wanted).toEqual({ clusterName: 'blue', ids: ['sg-1'] })
  expect(graph.get('controller-pods').wanted).toMatchObject({
    strategy: 'irsa',
    roleArn: 'arn:aws:iam::111122223333:role/blue-karpenter'
  })
})
