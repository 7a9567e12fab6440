import { UserError } from '../../../src/engine/errors.js'
import { readManifests } from '../../../src/karpenter/convert/manifests.js'
import { readText, type TextSettings } from './read-text.js'

const settings: TextSettings = {
  source: 'guide.yaml',
  clusterName: 'eksworkshop',
  nodeRoleName: 'KarpenterNodeRole-eksworkshop',
  kubernetesVersion: '1.32'
}

/** The guide's manifest: its placeholder, and both of consolidation and ttlSecondsAfterEmpty. */
const guide = `
apiVersion: karpenter.sh/v1alpha5
kind: Provisioner
metadata:
  name: default
spec:
  labels:
    intent: apps
  requirements:
    - key: karpenter.sh/capacity-type
      operator: In
      values: [spot]
  limits:
    resources:
      cpu: 1000
      memory: 1000Gi
  consolidation:
    enabled: true
  ttlSecondsAfterEmpty: 30
  ttlSecondsUntilExpired: 2592000
  providerRef:
    name: default
---
apiVersion: karpenter.k8s.aws/v1alpha1
kind: AWSNodeTemplate
metadata:
  name: default
spec:
  subnetSelector:
    karpenter.sh/discovery: \${CLUSTER_NAME}
  securityGroupSelector:
    karpenter.sh/discovery: $CLUSTER_NAME
  tags:
    team: platform
`

const nodePool = `apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: v1 }
spec:
  template:
    spec:
      nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: mine }
      requirements: []
`

const errorOf = (text: string, more: Partial<TextSettings> = {}): UserError => {
  try {
    readText(text, { ...settings, ...more })
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe("the guide's manifest", () => {
  const read = readText(guide, settings)

  it('becomes one NodePool, its spec complete', () => {
    expect(read.nodePools).toEqual([
      {
        apiVersion: 'karpenter.sh/v1',
        kind: 'NodePool',
        metadata: { name: 'default' },
        spec: {
          template: {
            metadata: { labels: { intent: 'apps' } },
            spec: {
              nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' },
              requirements: [
                { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot'] },
                { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
                { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
                { key: 'karpenter.k8s.aws/instance-category', operator: 'In', values: ['c', 'm', 'r'] },
                { key: 'karpenter.k8s.aws/instance-generation', operator: 'Gt', values: ['2'] }
              ],
              expireAfter: '2592000s'
            }
          },
          disruption: { consolidationPolicy: 'WhenEmptyOrUnderutilized', consolidateAfter: '0s' },
          limits: { cpu: '1000', memory: '1000Gi' }
        }
      }
    ])
  })

  it('becomes one EC2NodeClass, its spec complete', () => {
    expect(read.nodeClasses).toEqual([
      {
        apiVersion: 'karpenter.k8s.aws/v1',
        kind: 'EC2NodeClass',
        metadata: { name: 'default' },
        spec: {
          role: 'KarpenterNodeRole-eksworkshop',
          amiSelectorTerms: [{ alias: 'al2023@latest' }],
          subnetSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'eksworkshop' } }],
          securityGroupSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'eksworkshop' } }],
          metadataOptions: {
            httpEndpoint: 'enabled',
            httpProtocolIPv6: 'disabled',
            httpPutResponseHopLimit: 2,
            httpTokens: 'required'
          },
          tags: { team: 'platform' }
        }
      }
    ])
  })

  it('has each lossy step in a warning with its document and line', () => {
    expect(read.warnings).toEqual([
      expect.stringMatching(
        /^guide\.yaml: document 1 \(line 2\), Provisioner default: .*ttlSecondsUntilExpired.*forceful/
      ),
      expect.stringMatching(
        /^guide\.yaml: document 1 .*ttlSecondsAfterEmpty is left out: .*webhook rejected the pair/
      ),
      expect.stringMatching(
        /^guide\.yaml: document 2 \(line 24\).*replaced \$\{CLUSTER_NAME\} by eksworkshop/
      ),
      expect.stringMatching(/^guide\.yaml: document 2 .*amiFamily is missing/)
    ])
  })

  it('is taken under the wrong group too, with a warning', () => {
    const wrong = readText(guide.replace('karpenter.sh/v1alpha5', 'karpenter.k8s.aws/v1alpha5'), settings)
    expect(wrong.nodePools).toEqual(read.nodePools)
    expect(wrong.warnings).toContainEqual(
      expect.stringContaining('apiVersion karpenter.k8s.aws/v1alpha5 is taken for karpenter.sh/v1alpha5')
    )
  })

  it('takes the EC2NodeClass of the cluster where its AWSNodeTemplate is not in the text', () => {
    const alone = readText(guide.split('---')[0] ?? '', { ...settings, liveNodeClasses: ['default'] })
    expect(alone.nodeClasses).toEqual([])
    expect(alone.warnings).toContainEqual(
      expect.stringContaining(
        'its AWSNodeTemplate default is not in guide.yaml: EC2NodeClass default of the cluster is taken as it is'
      )
    )
  })

  it('is refused where neither the text nor the cluster has its AWSNodeTemplate', () => {
    const [pool = ''] = guide.split('---')
    expect(errorOf(pool, { liveNodeClasses: ['other'] }).message).toContain(
      'its AWSNodeTemplate default is not in guide.yaml, and the cluster has no EC2NodeClass default: add the file that has it (node-pools takes several paths and globs)'
    )
    expect(readText(pool, settings).nodeClasses).toEqual([])
  })

  it('may be in two files', () => {
    const [pool = '', template = ''] = guide.split('---')
    const both = readManifests(
      [
        { source: 'pool.yaml', text: pool },
        { source: 'template.yaml', text: template }
      ],
      { ...settings, liveNodeClasses: [] }
    )
    expect(both.nodePools).toEqual(read.nodePools)
    expect(both.nodeClasses).toEqual(read.nodeClasses)
    expect(both.warnings).toContainEqual(expect.stringMatching(/^template\.yaml: document 1 \(line 2\)/))
  })
})

describe('kubelet settings', () => {
  const provisioner = (name: string, maxPods?: number): string => `apiVersion: karpenter.sh/v1alpha5
kind: Provisioner
metadata: { name: ${name} }
spec:
  ttlSecondsAfterEmpty: 30
  providerRef: { name: shared }
  ${maxPods === undefined ? '' : `kubeletConfiguration: { maxPods: ${maxPods}, containerRuntime: containerd }`}
`
  const template = `---
apiVersion: karpenter.k8s.aws/v1alpha1
kind: AWSNodeTemplate
metadata: { name: shared }
`
  it('move to the EC2NodeClass', () => {
    const { nodeClasses, warnings } = readText(provisioner('a', 20) + template, settings)
    expect(nodeClasses[0]?.spec['kubelet']).toEqual({ maxPods: 20 })
    expect(warnings).toContainEqual(expect.stringContaining('containerRuntime is left out'))
  })

  it('get an EC2NodeClass of their own where others use the same', () => {
    const { nodePools, nodeClasses } = readText(
      `${provisioner('a', 20)}---\n${provisioner('b')}${template}`,
      settings
    )
    expect(nodeClasses.map((one) => [one.metadata.name, one.spec['kubelet']])).toEqual([
      ['shared', undefined],
      ['shared-a', { maxPods: 20 }]
    ])
    expect(nodePools.map((one) => one.spec.template.spec.nodeClassRef.name)).toEqual(['shared-a', 'shared'])
  })
})

describe('v1 manifests', () => {
  it('pass as they are, and get no EC2NodeClass that is not theirs', () => {
    const { nodePools, nodeClasses, warnings } = readText(nodePool, settings)
    expect(nodePools).toHaveLength(1)
    expect(nodePools[0]?.spec.template.spec.requirements).toEqual([])
    expect([nodeClasses, warnings]).toEqual([[], []])
  })

  it('pass out of a List', () => {
    const list = `kind: List\nitems:\n  - ${nodePool.trimEnd().replaceAll('\n', '\n    ')}\n`
    expect(readText(list, settings).nodePools.map((one) => one.metadata.name)).toEqual(['v1'])
  })

  it('pass out of a List in a List, and one without items is none', () => {
    const item = nodePool.trimEnd().replaceAll('\n', '\n        ')
    const list = `kind: List\nitems:\n  - kind: List\n    items:\n      - ${item}\n---\nkind: List\nitems:\n`
    expect(readText(list, settings).nodePools.map((one) => one.metadata.name)).toEqual(['v1'])
  })

  it('pass with CRLF, a byte order mark, comments alone between them, and anchors in their lists', () => {
    const requirements =
      'requirements: [&a { key: kubernetes.io/arch, operator: In, values: [amd64] }, { <<: *a, key: example.com/b }]'
    const text = `\uFEFF# of us\n---\n${nodePool.replace('requirements: []', requirements)}--- # end\n# nothing\n...\n`
    const { nodePools } = readText(text.replaceAll('\n', '\r\n'), settings)
    expect(nodePools[0]?.spec.template.spec.requirements).toEqual([
      { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
      { key: 'example.com/b', operator: 'In', values: ['amd64'] }
    ])
  })

  it('keep the shell variables of userData', () => {
    const nodeClass = `apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: mine }
spec:
  role: KarpenterNodeRole-\${CLUSTER_NAME}
  amiSelectorTerms: [{ alias: "al2023@\${ALIAS_VERSION}" }]
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: "\${CLUSTER_NAME}" } }]
  securityGroupSelectorTerms: [{ id: sg-1 }]
  userData: echo \${HOME}
`
    const { nodeClasses } = readText(nodeClass, settings)
    expect(nodeClasses[0]?.spec).toEqual({
      role: 'KarpenterNodeRole-eksworkshop',
      amiSelectorTerms: [{ alias: 'al2023@latest' }],
      subnetSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'eksworkshop' } }],
      securityGroupSelectorTerms: [{ id: 'sg-1' }],
      userData: 'echo ${HOME}'
    })
  })

  it('are warned of when their role is not the one that this action gives access', () => {
    const nodeClass = `apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: mine }
spec:
  role: other
  amiSelectorTerms: [{ alias: al2023@latest }]
  subnetSelectorTerms: [{ id: subnet-1 }]
  securityGroupSelectorTerms: [{ id: sg-1 }]
`
    expect(readText(nodeClass, settings).warnings).toEqual([expect.stringContaining('spec.role is other')])
  })
})

describe('YAML', () => {
  it('is read as kubectl reads it', () => {
    const { nodePools, nodeClasses } = readText(
      `apiVersion: karpenter.sh/v1alpha5
kind: Provisioner
metadata: { name: a }
spec:
  ttlSecondsAfterEmpty: 30
  consolidation: &off { enabled: no }
  providerRef: { name: a }
---
apiVersion: karpenter.k8s.aws/v1alpha1
kind: AWSNodeTemplate
metadata: { name: a }
spec:
  subnetSelector: &own { team: x }
  securityGroupSelector: { <<: *own, tier: z }
  detailedMonitoring: on
`,
      settings
    )
    expect(nodePools[0]?.spec.disruption?.consolidationPolicy).toBe('WhenEmpty')
    expect(nodeClasses[0]?.spec).toMatchObject({
      securityGroupSelectorTerms: [{ tags: { team: 'x', tier: 'z' } }],
      detailedMonitoring: true
    })
  })

  it('of a list that the API itself prints has the kind once', () => {
    const [, , ...rest] = nodePool.trimEnd().split('\n')
    const list = `apiVersion: karpenter.sh/v1\nkind: NodePoolList\nitems:\n  - ${rest.join('\n    ')}\n`
    expect(readText(list, settings).nodePools).toHaveLength(1)
  })
})

describe('problems', () => {
  it('are all in one error, each with its document and line', () => {
    const error = errorOf(`apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
---
apiVersion: karpenter.sh/v2
kind: NodePool
metadata: { name: new }
---
apiVersion: karpenter.sh/v1alpha5
kind: Provisioner
metadata: { name: p }
spec:
  ttlSecondsAfterEmpty: -1
  requirements: [{ key: a, operator: Inn }]
`)
    expect(error.message.split('\n')).toEqual([
      expect.stringMatching(/^guide\.yaml: document 1 \(line 1\), Deployment web: Deployment is not taken/),
      expect.stringMatching(
        /^guide\.yaml: document 2 \(line 5\), NodePool new: apiVersion karpenter\.sh\/v2 is not known/
      ),
      expect.stringMatching(
        /document 3 \(line 9\), Provisioner p: spec\.requirements\[0\]\.operator: use one of In/
      ),
      expect.stringMatching(/ttlSecondsAfterEmpty: -1 is not a whole number/)
    ])
    expect(error.fix).toBe('Correct these 4 places and run again.')
  })

  it.each([
    ['', 'there is no manifest'],
    ['# nothing\n---\n', 'there is no manifest'],
    ['just text', 'is not a manifest'],
    ['a: [', 'is not YAML'],
    ['a: {{ .Values.b }}', 'is not YAML: it is a Helm template: give what `helm template` prints of it'],
    [
      nodePool.replace('requirements: []', 'requirements: ${jsonencode(var.requirements)}'),
      'it is a Terraform template: give what Terraform renders of it'
    ],
    [
      nodePool.replace('requirements: []', 'requirements: [{ key: a, operator: In, values: [yes] }]'),
      'values[0] is read as true, not as a text: write it in quotes'
    ],
    [
      'apiVersion: karpenter.sh/v1alpha5\nkind: Provisioner\nmetadata: { name: a }\nspec: { consolidation: { enabled: "yes" } }',
      'spec.consolidation.enabled: "yes" is not a boolean; write true or false'
    ],
    ['kind: NodePool', 'metadata.name is missing'],
    ['kind: NodePool\nmetadata: { name: 123 }', 'metadata.name is read as 123: write it in quotes'],
    ['resources: [a.yaml]\nkind: Kustomization', 'give what `kustomize build` prints'],
    ['replicas: 2', 'an object without a kind is not taken'],
    [
      nodePool.replace(
        'requirements: []',
        'requirements: [{ key: a, operator: In, values: ["{{ zone }}"] }]'
      ),
      'has {{ zone }}, which nothing replaces here'
    ],
    [nodePool + '---\n' + nodePool, 'NodePool v1 is there twice'],
    [nodePool.replace('kind: EC2NodeClass, ', ''), 'nodeClassRef has no kind'],
    [nodePool.replace('      requirements: []\n', ''), 'requirements is missing'],
    [`${nodePool}  disruption: { consolidationPolicy: WhenEmpty }\n`, 'consolidateAfter is missing'],
    [`${nodePool}  disruption: { consolidateAfter: 5 minutes }\n`, '5 minutes is not a duration'],
    [`${nodePool}  weight: 101\n`, 'weight: 101 is not from 1 to 100'],
    [nodePool.replace('name: mine', 'name: "${WHO}"'), 'has ${WHO}, which nothing replaces here'],
    [
      'apiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: { name: a }\nspec: {}',
      'exactly one of role and instanceProfile'
    ],
    [
      'apiVersion: karpenter.sh/v1alpha5\nkind: Provisioner\nmetadata: { name: a }\nspec: { provider: {}, providerRef: { name: b } }',
      'are both given'
    ],
    [
      'apiVersion: karpenter.k8s.aws/v1alpha1\nkind: AWSNodeTemplate\nmetadata: { name: a }\nspec: { launchTemplate: x }',
      'launchTemplate has no equal'
    ]
  ])('%j is refused', (text, problem) => {
    const error = errorOf(text)
    expect(error.message).toContain(problem)
    expect(error.message).toMatch(/^guide\.yaml/)
    expect(error.state).toBe('Nothing was changed.')
  })

  it('of YAML say the line', () => {
    expect(errorOf('a: 1\nb: [\n').message).toMatch(/^guide\.yaml \(line \d\): is not YAML/)
  })
})
