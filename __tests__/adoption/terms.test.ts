import { type Objection, termsOf } from '../../src/adoption/terms.js'
import type { Adopted } from '../../src/adoption/adoption.js'
import { factsOf, guide, release } from './found.js'

function adoptedFrom(...facts: Parameters<typeof factsOf>): Adopted {
  const terms = termsOf(factsOf(...facts))
  if (terms.kind !== 'compatible') throw new Error(JSON.stringify(terms.objections))
  return terms.adopted
}

function objectionsTo(...facts: Parameters<typeof factsOf>): readonly Objection[] {
  const terms = termsOf(factsOf(...facts))
  return terms.kind === 'compatible' ? [] : terms.objections
}

describe('an installation that can be taken over', () => {
  it('keeps every name, and its values as they were given', () => {
    const { adoption } = adoptedFrom({})
    expect(adoption).toEqual({
      namespace: 'kube-system',
      controllerIdentity: 'pod-identity',
      controllerRoleName: 'blue-karpenter',
      nodeRoleName: 'KarpenterNodeRole-blue',
      nodeAccess: 'aws-auth',
      stackName: 'Karpenter-blue',
      others: {},
      subnetIds: ['subnet-1', 'subnet-2'],
      securityGroupIds: ['sg-1'],
      discoveryTags: true,
      helmValues: release.values,
      templateVersion: '1.2.1'
    })
  })

  it('keeps its EC2NodeClasses by what they ask for, without what the server and their maker added', () => {
    const [nodeClass] = adoptedFrom({}).nodeClasses
    expect(nodeClass).toEqual({
      apiVersion: 'karpenter.k8s.aws/v1',
      kind: 'EC2NodeClass',
      metadata: { name: 'default' },
      spec: guide.nodeClasses[0]?.['spec']
    })
  })

  it('has its own node role, queue and policies where no stack of the published template made them', () => {
    const { adoption } = adoptedFrom({ stack: undefined })
    expect(adoption.stackName).toBe('Karpenter-blue')
    expect(adoption.others).toEqual({
      nodeRoleArn: 'arn:aws:iam::111122223333:role/KarpenterNodeRole-blue',
      queueName: 'blue',
      policyArns: ['arn:aws:iam::111122223333:policy/KarpenterControllerPolicy-blue']
    })
  })

  it('listens from now on to a queue that stands in the place of the stack own and that nobody listens to', () => {
    const { adoption } = adoptedFrom({ stack: undefined, queueName: undefined, policyArns: [] })
    expect(adoption.others.queueName).toBe('blue')
    const without = adoptedFrom({ stack: undefined, queueName: undefined, queueOfStackName: false })
    expect(without.adoption.others.queueName).toBeUndefined()
  })

  it('runs a Karpenter from 1.0.0 on, and names once what several EC2NodeClasses find', () => {
    const controller = { ...guide.controller, version: '1.0.0' }
    const second = guide.nodeClasses.map((one) => ({ ...one, metadata: { name: 'second' } }))
    const { adoption } = adoptedFrom({ controller, nodeClasses: [...guide.nodeClasses, ...second] })
    expect(adoption.subnetIds).toEqual(['subnet-1', 'subnet-2'])
  })

  it('needs no discovery tags when its EC2NodeClasses find by ids', () => {
    const byId = { subnetSelectorTerms: [{ id: 'subnet-1' }], securityGroupSelectorTerms: [{ id: 'sg-1' }] }
    const nodeClasses = guide.nodeClasses.map((one) => ({ ...one, spec: byId }))
    expect(adoptedFrom({ nodeClasses }).adoption.discoveryTags).toBe(false)
  })
})

describe('an installation that cannot be taken over', () => {
  it('was not made by helm', () => {
    const controller = { ...guide.controller, release: undefined }
    const [objection] = objectionsTo({ release: undefined, controller })
    expect(objection?.subject).toBe('Deployment kube-system/karpenter')
    expect(objection?.problem).toContain('not installed by helm')
    const [lost] = objectionsTo({ release: undefined })
    expect(lost?.problem).toContain('of its helm release kube-system/karpenter there is no record')
  })

  it('runs a Karpenter from before 1.0, which is all that is said of it', () => {
    const controller = { ...guide.controller, version: '0.37.8' }
    const objections = objectionsTo({ controller, release: undefined })
    expect(objections.map(({ problem }) => problem)).toEqual([
      'runs Karpenter 0.37.8, and an adoption begins at 1.0'
    ])
  })

  it('has another release name or service account, which an adoption would have to change', () => {
    const objections = objectionsTo({ release: { ...release, name: 'kp' }, serviceAccount: 'kp-karpenter' })
    expect(objections.map(({ problem }) => problem)).toEqual([
      expect.stringContaining('is not named "karpenter"'),
      expect.stringContaining('runs as service account "kp-karpenter"')
    ])
  })

  it.each([
    [
      'Argo CD Application scaling',
      { annotations: { 'argocd.argoproj.io/tracking-id': 'scaling:apps/Deployment:kube-system/karpenter' } }
    ],
    [
      'Flux HelmRelease flux-system/karpenter',
      {
        labels: {
          'helm.toolkit.fluxcd.io/name': 'karpenter',
          'helm.toolkit.fluxcd.io/namespace': 'flux-system'
        }
      }
    ],
    ['Rancher Fleet', { annotations: { 'objectset.rio.cattle.io/id': 'default-karpenter' } }],
    ['Crossplane', { labels: { 'crossplane.io/composite': 'blue' } }]
  ])('is kept by %s, which would put everything back', (who, metadata) => {
    const [objection] = objectionsTo({ deployment: { kind: 'Deployment', metadata } })
    expect(objection?.problem).toContain(`${who} keeps it`)
    expect(objection?.evidence).toMatch(/^(label|annotation) /)
  })

  it.each([
    ['Terraform', { labels: { 'app.kubernetes.io/managed-by': 'terraform' } }],
    ['eksctl', { labels: { 'app.kubernetes.io/managed-by': 'eksctl' } }]
  ])('is none that %s made, which puts nothing back by itself', (_who, metadata) => {
    expect(objectionsTo({ deployment: { kind: 'Deployment', metadata } })).toEqual([])
  })

  it('has no role of its own, or one under a path', () => {
    expect(objectionsTo({ identity: undefined })[0]?.problem).toContain('no IAM role')
    const roleArn = 'arn:aws:iam::111122223333:role/teams/a/karpenter'
    const [objection] = objectionsTo({ identity: { strategy: 'irsa', roleArn } })
    expect(objection?.problem).toContain(roleArn)
  })

  it('is called otherwise than the inputs ask for, each said by the name of the input', () => {
    const objections = objectionsTo({}, { namespace: 'karp', 'node-role-name': 'nodes' })
    expect(objections.map(({ subject }) => subject)).toEqual(['namespace', 'node-role-name'])
    expect(objections[0]?.fix).toContain('pass kube-system')
    expect(objectionsTo({}, { namespace: 'kube-system', 'interruption-queue': 'none' })).toEqual([])
  })
})
