import type { Installation } from '../../src/adoption/installation.js'
import type { TermsFacts } from '../../src/adoption/terms.js'
import type { Release } from '../../src/helm/release.js'
import type { Manifest } from '../../src/kubernetes/manifest.js'
import { inputsOf } from '../given-inputs.js'

const account = {
  id: '111122223333',
  partition: 'aws',
  region: 'eu-west-1',
  urlSuffix: 'amazonaws.com',
  callerArn: 'arn:aws:iam::111122223333:role/deployer'
} as const

export const release: Release = {
  name: 'karpenter',
  namespace: 'kube-system',
  revision: 3,
  status: 'deployed',
  chartVersion: '1.2.1',
  appVersion: '1.2.1',
  values: { settings: { clusterName: 'blue', interruptionQueue: 'blue' }, replicas: 1 },
  manifest: '',
  createdAt: '2026-11-24T10:00:00Z',
  secret: 'sh.helm.release.v1.karpenter.v3',
  labels: {},
  deployedBefore: []
}

export const nodeClass: Manifest = {
  apiVersion: 'karpenter.k8s.aws/v1',
  kind: 'EC2NodeClass',
  metadata: { name: 'default', resourceVersion: '7', labels: { team: 'a' } },
  spec: {
    role: 'KarpenterNodeRole-blue',
    subnetSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'blue' } }],
    securityGroupSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'blue' } }]
  },
  status: {
    subnets: [{ id: 'subnet-2' }, { id: 'subnet-1' }],
    securityGroups: [{ id: 'sg-1' }]
  }
}

/** The guide's installation by hand: everything of its stack. */
export const guide: Installation = {
  controller: {
    namespace: 'kube-system',
    deployment: 'karpenter',
    version: '1.2.1',
    release: { name: 'karpenter', namespace: 'kube-system' }
  },
  release,
  deployment: undefined,
  serviceAccount: 'karpenter',
  identity: { strategy: 'pod-identity', roleArn: 'arn:aws:iam::111122223333:role/blue-karpenter' },
  nodeRoles: [
    {
      name: 'KarpenterNodeRole-blue',
      arn: 'arn:aws:iam::111122223333:role/KarpenterNodeRole-blue',
      tags: {}
    }
  ],
  nodeAccess: 'aws-auth',
  stack: {
    name: 'Karpenter-blue',
    version: '1.2.1',
    ids: [
      'KarpenterNodeRole-blue',
      'https://sqs.eu-west-1.amazonaws.com/111122223333/blue',
      'arn:aws:iam::111122223333:policy/KarpenterControllerPolicy-blue'
    ]
  },
  queueName: 'blue',
  queueOfStackName: true,
  policyArns: ['arn:aws:iam::111122223333:policy/KarpenterControllerPolicy-blue'],
  nodePools: [],
  nodeClasses: [nodeClass]
}

export function factsOf(
  installation: Partial<Installation>,
  given: Readonly<Record<string, string>> = {}
): TermsFacts {
  return {
    installation: { ...guide, ...installation },
    inputs: inputsOf({ 'cluster-name': 'blue', ...given }),
    account,
    ownership: { owner: 'setup-karpenter', run: 'local' }
  }
}
