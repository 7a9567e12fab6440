import { readText } from './read-text.js'

const settings = {
  source: 'x.yaml',
  clusterName: 'blue',
  nodeRoleName: 'KarpenterNodeRole-blue',
  kubernetesVersion: '1.34'
}

const root = [
  {
    deviceName: '/dev/sda1',
    rootVolume: true,
    ebs: { volumeSize: '20Gi', volumeType: 'gp3', encrypted: true }
  }
]

function alpha(spec: string): string {
  return `apiVersion: karpenter.k8s.aws/v1alpha1\nkind: AWSNodeTemplate\nmetadata: { name: a }\nspec: ${spec}\n`
}

function nodeClass(version: string, spec: string): string {
  return `apiVersion: karpenter.k8s.aws/${version}
kind: EC2NodeClass
metadata: { name: a }
spec:
  subnetSelectorTerms: [{ id: subnet-1 }]
  securityGroupSelectorTerms: [{ id: sg-1 }]
  ${spec}
`
}

function pool(version: string, rest: string, requirements = '[]'): string {
  return `apiVersion: karpenter.sh/${version}
kind: NodePool
metadata: { name: a }
spec: { template: { spec: { requirements: ${requirements}, ${rest} } } }
`
}

const reference = 'nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: a }'

describe('Ubuntu', () => {
  it('of v1alpha1 is AL2 with the same images, and the root volume that it had', () => {
    const text = alpha('{ amiFamily: Ubuntu, amiSelector: { aws-ids: ami-1 } }')
    const { nodeClasses, warnings } = readText(text, settings)
    expect(nodeClasses[0]?.spec).toMatchObject({
      amiFamily: 'AL2',
      amiSelectorTerms: [{ id: 'ami-1' }],
      blockDeviceMappings: root
    })
    expect(warnings).toContainEqual(expect.stringContaining('spec.amiFamily Ubuntu was removed in 1.0'))
  })

  it('of v1beta1 is, too', () => {
    const text = nodeClass('v1beta1', 'amiFamily: Ubuntu\n  role: r\n  amiSelectorTerms: [{ id: ami-1 }]')
    expect(readText(text, settings).nodeClasses[0]?.spec).toMatchObject({
      amiFamily: 'AL2',
      amiSelectorTerms: [{ id: 'ami-1' }],
      blockDeviceMappings: root
    })
  })

  it('keeps volumes of its own', () => {
    const own = 'blockDeviceMappings: [{ deviceName: /dev/sda1, ebs: { volumeSize: 50Gi } }]'
    const text = nodeClass(
      'v1beta1',
      `amiFamily: Ubuntu\n  role: r\n  amiSelectorTerms: [{ id: ami-1 }]\n  ${own}`
    )
    expect(readText(text, settings).nodeClasses[0]?.spec).toMatchObject({
      amiFamily: 'AL2',
      blockDeviceMappings: [{ deviceName: '/dev/sda1', ebs: { volumeSize: '50Gi' } }]
    })
  })
})

describe('Custom', () => {
  const warning =
    'spec.userData of amiFamily Custom does not set the taint karpenter.sh/unregistered:NoExecute'
  it.each([
    [
      'v1',
      nodeClass(
        'v1',
        'amiFamily: Custom\n  role: KarpenterNodeRole-blue\n  amiSelectorTerms: [{ id: ami-1 }]'
      )
    ],
    ['v1alpha1', alpha('{ amiFamily: Custom, amiSelector: { aws-ids: ami-1 }, userData: "#!/bin/bash" }')]
  ])('of %s that does not set the taint is warned of', (_version, text) => {
    expect(readText(text, settings).warnings).toContainEqual(expect.stringContaining(warning))
  })

  it('that does is not', () => {
    const data = 'userData: kubelet --register-with-taints=karpenter.sh/unregistered:NoExecute'
    const text = nodeClass(
      'v1',
      `amiFamily: Custom\n  role: KarpenterNodeRole-blue\n  amiSelectorTerms: [{ id: ami-1 }]\n  ${data}`
    )
    expect(readText(text, settings).warnings).toEqual([])
  })
})

describe('Requirements', () => {
  it('NotIn an empty value is legal in every version', () => {
    const empty = '[{ key: karpenter.k8s.aws/instance-gpu-name, operator: NotIn, values: [""] }]'
    const wanted = [{ key: 'karpenter.k8s.aws/instance-gpu-name', operator: 'NotIn', values: [''] }]
    const of = (text: string): unknown =>
      readText(text, settings).nodePools[0]?.spec.template.spec.requirements
    expect(of(pool('v1', reference, empty))).toEqual(wanted)
    expect(of(pool('v1beta1', 'nodeClassRef: { name: a }', empty))).toEqual(wanted)
    expect(
      of(
        `apiVersion: karpenter.sh/v1alpha5\nkind: Provisioner\nmetadata: { name: a }\nspec: { providerRef: { name: a }, requirements: ${empty} }\n`
      )
    ).toEqual(expect.arrayContaining(wanted))
  })
})

it('kubelet.containerRuntime of v1beta1 is left out', () => {
  const both = `${pool('v1beta1', 'nodeClassRef: { name: a }, kubelet: { containerRuntime: containerd, maxPods: 9 }')}---
${nodeClass('v1beta1', 'amiFamily: AL2023\n  role: KarpenterNodeRole-blue')}`
  const { nodeClasses, warnings } = readText(both, settings)
  expect(nodeClasses[0]?.spec['kubelet']).toEqual({ maxPods: 9 })
  expect(warnings).toContainEqual(
    expect.stringContaining('.kubelet.containerRuntime is left out: nodes run containerd')
  )
})

it.each(['v1alpha3', 'v1alpha4'])('a Provisioner %s is no v1alpha5', (version) => {
  const text = `apiVersion: karpenter.sh/${version}\nkind: Provisioner\nmetadata: { name: a }\nspec: {}\n`
  expect(() => readText(text, settings)).toThrow(
    `apiVersion karpenter.sh/${version} is older than karpenter.sh/v1alpha5, and has other fields`
  )
})

describe('A role as an ARN', () => {
  it('is that role', () => {
    const role = 'arn:aws:iam::111122223333:role/team/KarpenterNodeRole-blue'
    const text = nodeClass('v1', `role: ${role}\n  amiSelectorTerms: [{ alias: al2023@latest }]`)
    const { nodeClasses, warnings } = readText(text, settings)
    expect(nodeClasses[0]?.spec.role).toBe('KarpenterNodeRole-blue')
    expect(warnings).toEqual([
      expect.stringContaining('spec.role is an ARN: its name KarpenterNodeRole-blue is taken')
    ])
  })

  it('behind a path is, too', () => {
    const text = nodeClass(
      'v1',
      'role: /teams/data/KarpenterNodeRole-blue\n  amiSelectorTerms: [{ alias: al2023@latest }]'
    )
    const { nodeClasses, warnings } = readText(text, settings)
    expect(nodeClasses[0]?.spec).toMatchObject({ role: 'KarpenterNodeRole-blue' })
    expect(warnings).toEqual([
      expect.stringContaining('spec.role is a path: its name KarpenterNodeRole-blue')
    ])
  })

  it('of an instance profile is that one', () => {
    const profile = 'arn:aws:iam::111122223333:instance-profile/nodes'
    expect(readText(alpha(`{ instanceProfile: "${profile}" }`), settings).nodeClasses[0]?.spec).toMatchObject(
      {
        instanceProfile: 'nodes'
      }
    )
  })
})

describe("EKS Auto Mode's", () => {
  it.each([
    ['v1', 'nodeClassRef: { group: eks.amazonaws.com, kind: NodeClass, name: default }'],
    ['v1beta1', 'nodeClassRef: { apiVersion: eks.amazonaws.com/v1, kind: NodeClass, name: default }']
  ])('nodeClassRef in %s is told as such', (version, ref) => {
    expect(() => readText(pool(version, ref), settings)).toThrow(
      "spec.template.spec.nodeClassRef is EKS Auto Mode's: its nodes are made by AWS"
    )
  })

  it('NodeClass is, too', () => {
    const text = 'apiVersion: eks.amazonaws.com/v1\nkind: NodeClass\nmetadata: { name: default }\nspec: {}\n'
    expect(() => readText(text, settings)).toThrow("NodeClass is EKS Auto Mode's")
  })
})

it('the version of an alias that 1.0 kept for v1beta1 stays', () => {
  const text = nodeClass('v1beta1', 'amiFamily: AL2023\n  role: KarpenterNodeRole-blue').replace(
    '{ name: a }',
    '{ name: a, annotations: { compatibility.karpenter.k8s.aws/v1-alias-version: v20240807 } }'
  )
  const { nodeClasses } = readText(text, settings)
  expect(nodeClasses[0]?.spec.amiSelectorTerms).toEqual([{ alias: 'al2023@v20240807' }])
  expect(nodeClasses[0]?.metadata).toEqual({ name: 'a' })
})
