import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { catalogue, type CheckName } from '../../src/preflight/catalogue.js'
import { status } from '../kubernetes/api-server.js'
import { nobodyTrusted } from '../sandbox/cloud/clients.js'
import type { PlayedClusterOptions } from './played-aws.js'
import { type Ended, PlayedWorld } from './played-run.js'

interface Provocation {
  readonly given?: Readonly<Record<string, string>>
  readonly cluster?: PlayedClusterOptions
  readonly files?: Readonly<Record<string, string>>
  readonly arrange?: (world: PlayedWorld) => void
  /** Words of the finding. */
  readonly says: string
}

const classOf = (spec: string): string => `
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: own }
spec: { role: KarpenterNodeRole-blue, subnetSelectorTerms: [{ id: subnet-1 }], securityGroupSelectorTerms: [{ id: sg-1 }], ${spec} }
`
const poolOf = (requirements: string, more = ''): string => `
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: own }
spec:
  template:
    spec:
      nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: own }
      requirements: [${requirements}]
${more}`
const latest = 'amiSelectorTerms: [{ alias: al2023@latest }]'

function installed(version: string): (world: PlayedWorld) => void {
  return ({ helm }) => helm.deploy(version, { settings: { clusterName: 'blue' } }, true)
}

function deployment(path: string, name: string, image: string): (world: PlayedWorld) => void {
  return ({ server }) =>
    server.put(`/apis/apps/v1/namespaces/${path}/deployments/${name}`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace: path },
      spec: { replicas: 1, template: { spec: { containers: [{ name: 'main', image }] } } }
    })
}

const provocations: Readonly<Record<CheckName, Provocation>> = {
  'cluster-active': { cluster: { status: 'FAILED' }, says: 'FAILED' },
  'cluster-endpoint': {
    arrange: ({ cloud, server }) =>
      cloud.eks.setEndpoint('blue', 'https://127.0.0.1:1', server.certificateAuthority),
    says: 'https://127.0.0.1:1'
  },
  'auto-mode': { cluster: { autoMode: true }, says: 'Auto Mode' },
  'version-pair': { given: { 'karpenter-version': '1.2.1' }, says: '1.35' },
  'rolling-update': {
    given: { 'karpenter-version': '1.14.1', 'helm-values': 'replicas: 1' },
    arrange: installed('1.13.1'),
    says: 'no controller runs while 1.14.1 starts in place of 1.13.1'
  },
  'v1beta1-remains': {
    given: { 'karpenter-version': '1.14.1' },
    arrange: (world) => {
      installed('1.0.8')(world)
      world.server.put('/apis/karpenter.sh/v1/nodepools/old', {
        apiVersion: 'karpenter.sh/v1',
        kind: 'NodePool',
        metadata: {
          annotations: { 'compatibility.karpenter.sh/v1beta1-kubelet-conversion': '{"maxPods":9}' }
        },
        spec: { template: { spec: { nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass' } } } }
      })
    },
    says: 'old'
  },
  'another-karpenter': {
    arrange: (world) => {
      installed('1.14.1')(world)
      deployment('other', 'karpenter', 'public.ecr.aws/karpenter/controller:1.12.0')(world)
    },
    says: 'Karpenter 1.12.0 is already installed in namespace other'
  },
  'left-crds': { given: { crds: 'leave' }, says: 'nodepools.karpenter.sh is not there' },
  'pruned-fields': {
    arrange: ({ server }) => {
      const name = 'nodepools.karpenter.sh'
      server.put(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`, {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { labels: { 'app.kubernetes.io/managed-by': 'setup-karpenter' } },
        spec: { group: 'karpenter.sh', names: { kind: 'NodePool', plural: 'nodepools' }, versions: [] }
      })
      server.put('/apis/karpenter.sh/v1/nodepools/theirs', {
        apiVersion: 'karpenter.sh/v1',
        kind: 'NodePool',
        spec: { novelty: 1 }
      })
    },
    says: 'do not have spec.novelty'
  },
  'not-adopted': {
    arrange: deployment('karpenter', 'karpenter', 'public.ecr.aws/karpenter/controller:1.12.0'),
    says: 'was not installed by helm'
  },
  'cluster-autoscaler': {
    arrange: deployment(
      'kube-system',
      'cluster-autoscaler',
      'registry.k8s.io/autoscaling/cluster-autoscaler:v1.35.0'
    ),
    says: 'Cluster Autoscaler runs as well'
  },
  'names-and-policy-size': {
    given: {
      'node-pools': classOf(latest).replace('role: Karp', 'role: team:Karp')
    },
    says: 'role'
  },
  identity: {
    arrange: ({ server }) =>
      server.put('/apis/apps/v1/namespaces/kube-system/daemonsets/eks-pod-identity-agent', {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { namespace: 'kube-system' },
        status: { desiredNumberScheduled: 2, numberReady: 0 }
      }),
    says: '0 of 2 pods are Ready'
  },
  queue: { given: { 'interruption-queue': 'elsewhere' }, says: 'elsewhere' },
  'name-taken': {
    arrange: ({ aws }) => aws.queues.set('blue', { QueueArn: 'arn:aws:sqs:eu-west-1:111122223333:blue' }),
    says: 'there is no stack Karpenter-blue that it could be of'
  },
  'not-ours': {
    arrange: ({ cloud }) => cloud.iam.putRole({ name: 'blue-karpenter', trust: nobodyTrusted }),
    says: 'blue-karpenter'
  },
  permissions: {
    // A note refuses nothing: something else must.
    given: { 'helm-values': 'replicaz: 1' },
    arrange: ({ cloud }) =>
      cloud.setFaults([
        {
          service: 'iam',
          action: 'SimulatePrincipalPolicy',
          effect: { kind: 'error', code: 'AccessDenied', message: 'no', status: 403 }
        }
      ]),
    says: 'whether the role may do all that is planned could not be asked'
  },
  'subnet-tags-conflict': {
    arrange: ({ aws }) => aws.tags.get('subnet-1')?.set('karpenter.sh/discovery', 'green'),
    says: 'green'
  },
  network: {
    arrange: ({ aws }) => aws.tags.get('sg-1')?.clear(),
    says: 'none of them is tagged kubernetes.io/cluster/blue'
  },
  'ipv6-pods': {
    given: { 'helm-values': 'replicaz: 1' },
    cluster: { ipFamily: 'ipv6' },
    says: 'ec2:AssignIpv6Addresses'
  },
  'node-security-groups': {
    // A warning refuses nothing: something else must.
    given: { 'helm-values': 'replicaz: 1' },
    arrange: ({ aws, server }) => {
      aws.groupsOf.set('i-0aa', ['sg-9'])
      server.put('/api/v1/nodes/three', {
        apiVersion: 'v1',
        kind: 'Node',
        spec: { providerID: 'aws:///eu-west-1a/i-0aa' }
      })
    },
    says: 'sg-1 (eks-cluster-sg-blue) is not on the one node that is there'
  },
  'node-class-selectors': {
    given: { 'node-pools': classOf(latest).replace('{ id: sg-1 }', '{ id: sg-9 }') },
    says: 'EC2NodeClass own: no security group matches'
  },
  'node-class-role': {
    given: { 'node-pools': classOf(latest).replace('KarpenterNodeRole-blue', 'nobody') },
    says: 'nobody'
  },
  'node-class-images': {
    given: { 'node-pools': classOf('amiFamily: AL2023, amiSelectorTerms: [{ id: ami-0123456789abcdef0 }]') },
    says: 'ami-0123456789abcdef0'
  },
  'node-class-reference': {
    given: { 'node-pools': poolOf('') },
    says: 'own'
  },
  'node-pool-requirements': {
    given: {
      'node-pools':
        classOf(latest) + poolOf('{ key: topology.kubernetes.io/zone, operator: In, values: [eu-west-1z] }')
    },
    says: 'eu-west-1z'
  },
  'controller-on-own-nodes': {
    given: {
      'helm-values':
        'affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: kubernetes.io/os, operator: In, values: [linux] }] }] } } }'
    },
    says: 'the controller could run on nodes that it makes itself (NodePool default)'
  },
  'controller-capacity': {
    arrange: ({ server }) => ['one', 'two'].forEach((name) => server.remove(`/api/v1/nodes/${name}`)),
    says: 'node'
  },
  'template-policies': {
    given: { template: 'own.yaml' },
    files: { 'own.yaml': builtInTemplateText('1.14.1').replaceAll('"ec2:CreateFleet"', '"ec2:CreateFlees"') },
    says: 'no policy of the stack allows ec2:CreateFleet'
  },
  'chart-values': { given: { 'helm-values': 'replicaz: 1' }, says: 'replicaz' },
  'stack-service-role': {
    given: { 'stack-role-arn': 'arn:aws:iam::111122223333:role/nobody' },
    says: 'there is no role arn:aws:iam::111122223333:role/nobody'
  },
  admission: {
    arrange: ({ server }) =>
      (server.intercept = (call, response) => {
        if (call.method !== 'PATCH' || !call.path.includes('/flowschemas/')) return false
        status(response, 403, 'Forbidden', 'admission webhook "policy.example.com" denied the request: no')
        return true
      }),
    says: 'patch was refused by admission webhook'
  },
  'manifest-dry-run': {
    given: { 'node-pools': classOf(latest) + poolOf('', 'novelty: 1') },
    says: 'novelty'
  },
  'ami-alias': {
    given: { 'node-pools': classOf('amiSelectorTerms: [{ alias: al2023@v20200101 }]') },
    says: '20200101'
  }
}

async function refused({ given, cluster, files, arrange }: Provocation): Promise<Ended> {
  const world = await PlayedWorld.start(cluster)
  try {
    arrange?.(world)
    const ended = await world.main({ preflight: 'strict', ...given }, files === undefined ? {} : { files })
    expect(ended.writes).toEqual({ aws: [], cluster: [] })
    return ended
  } finally {
    await world.stop()
  }
}

test.each(Object.entries(provocations))('%s is asked of what the run found', async (name, provocation) => {
  const ended = await refused(provocation)
  const findings: readonly unknown[] = Array.isArray(ended.report?.['preflight'])
    ? ended.report['preflight']
    : []
  const own = findings.filter((one) => JSON.stringify(one).includes(`"check":"${name}"`))
  expect(JSON.stringify(own)).toContain(provocation.says)
})

test('each check of the catalogue is provoked', () => {
  expect(Object.keys(provocations).toSorted()).toEqual(Object.keys(catalogue).toSorted())
})

test('a warning refuses nothing where `preflight` is not strict, and is an annotation', async () => {
  const world = await PlayedWorld.start()
  try {
    world.aws.tags.get('sg-1')?.clear()
    const ended = await world.main({ mode: 'plan' })
    expect(ended.failed).toBeUndefined()
    expect(JSON.stringify(ended.warnings)).toContain('none of them is tagged kubernetes.io/cluster/blue')
  } finally {
    await world.stop()
  }
})
