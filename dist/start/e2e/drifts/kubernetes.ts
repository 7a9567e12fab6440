import { newest } from '../../sandbox/index.js'
import { paths } from '../scenario.js'
import { account, kubectlEdit, type AnotherHand } from '../another-hand.js'
import type { Drift, Expected } from './drift.js'

const karpenter = '/api/v1/namespaces/karpenter'
const rbac = '/apis/rbac.authorization.k8s.io/v1'
const deployment = `${paths.deployments}/karpenter`
const controller = 'Deployment/karpenter.spec.template.spec.containers[controller]'

const found =
  (id: Expected['id'], path: string, severity: Expected['severity'] = 'breaks scaling'): Drift['finds'] =>
  () => [{ id, path, severity, by: kubectlEdit }]

const inRelease = (path: string, severity?: Expected['severity']): Drift['finds'] =>
  found('helm-release', path, severity)

/** Nobody signs a deletion. */
const gone =
  (id: Expected['id'], path: string): Drift['finds'] =>
  () => [{ id, path, severity: 'breaks scaling' }]

const inContainer = async (hand: AnotherHand, change: object): Promise<void> =>
  hand.merge(deployment, {
    spec: { template: { spec: { containers: [{ name: 'controller', ...change }] } } }
  })

export const kubernetesDrifts: readonly Drift[] = [
  {
    name: 'a FlowSchema is edited',
    plant: async (hand) =>
      hand.edit(`${paths.flowSchemas}/karpenter-workload`, { spec: { matchingPrecedence: 9000 } }),
    finds: found('flow-schemas', 'karpenter-workload.spec.matchingPrecedence', 'changes behaviour')
  },
  {
    name: 'a FlowSchema is deleted',
    plant: async (hand) => hand.remove(`${paths.flowSchemas}/karpenter-leader-election`),
    finds: () => [{ id: 'flow-schemas', path: 'karpenter-leader-election', severity: 'changes behaviour' }]
  },
  {
    name: "a field is taken out of a CRD's schema",
    plant: async (hand) =>
      hand.edit(`${paths.crds}/nodepools.karpenter.sh`, [
        {
          op: 'remove',
          path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/weight/maximum'
        }
      ]),
    finds: found('crds', 'nodepools.karpenter.sh')
  }
]

export const helmDrifts: readonly Drift[] = [
  {
    name: 'the release is upgraded by hand with another value',
    plant: async (hand) =>
      hand.helm(
        ...['upgrade', 'karpenter', hand.sandbox.published.chart, '--version', newest, '--plain-http'],
        ...['--reuse-values', '--skip-crds', '--set', 'logLevel=debug']
      ),
    finds: () => [{ id: 'helm-release', path: 'values.logLevel', severity: 'changes behaviour', by: 'helm' }]
  },
  {
    name: 'the release is rolled back to that revision',
    hides: true,
    plant: async (hand) => hand.helm('rollback', 'karpenter', '2'),
    finds: () => [{ id: 'helm-release', path: 'values.logLevel', severity: 'changes behaviour', by: 'helm' }]
  },
  {
    name: "a variable of the controller's is changed",
    plant: async (hand) => inContainer(hand, { env: [{ name: 'LOG_LEVEL', value: 'error' }] }),
    finds: inRelease(`${controller}.env[LOG_LEVEL].value`, 'changes behaviour')
  },
  {
    name: 'the controller is given a variable more',
    plant: async (hand) => inContainer(hand, { env: [{ name: 'DISABLE_WEBHOOK', value: 'true' }] }),
    finds: inRelease(`${controller}.env[DISABLE_WEBHOOK]`, 'changes behaviour')
  },
  {
    name: 'the controller is given an image of another version',
    plant: async (hand) =>
      inContainer(hand, { image: 'public.ecr.aws/karpenter/controller:1.13.0@sha256:' + '0'.repeat(64) }),
    finds: inRelease(`${controller}.image`)
  },
  {
    name: 'the controller is given arguments',
    plant: async (hand) => inContainer(hand, { args: ['--log-level=error'] }),
    finds: inRelease(`${controller}.args`, 'changes behaviour')
  },
  {
    name: 'the controller is given less memory',
    plant: async (hand) =>
      inContainer(hand, { resources: { requests: { memory: '256Mi' }, limits: { memory: '256Mi' } } }),
    finds: () =>
      ['limits', 'requests'].map((kind) => ({
        id: 'helm-release',
        path: `${controller}.resources.${kind}.memory`,
        severity: 'breaks scaling',
        by: kubectlEdit
      }))
  },
  {
    name: 'the controller may write to its own image',
    plant: async (hand) => inContainer(hand, { securityContext: { readOnlyRootFilesystem: false } }),
    finds: inRelease(`${controller}.securityContext.readOnlyRootFilesystem`, 'weakens security')
  },
  {
    name: 'the controller runs as one replica',
    plant: async (hand) => hand.edit(deployment, { spec: { replicas: 1 } }),
    finds: inRelease('Deployment/karpenter.spec.replicas', 'changes behaviour')
  },
  {
    name: 'a container is put beside the controller',
    plant: async (hand) =>
      hand.merge(deployment, {
        spec: { template: { spec: { containers: [{ name: 'debug', image: 'busybox' }] } } }
      }),
    finds: inRelease('Deployment/karpenter.spec.template.spec.containers[debug]', 'weakens security')
  },
  {
    name: 'the Deployment is deleted',
    hides: true,
    plant: async (hand) => hand.remove(deployment),
    finds: gone('helm-release', 'Deployment/karpenter')
  },
  {
    name: 'the PodDisruptionBudget is edited',
    plant: async (hand) =>
      hand.edit('/apis/policy/v1/namespaces/karpenter/poddisruptionbudgets/karpenter', {
        spec: { maxUnavailable: 2 }
      }),
    finds: inRelease('PodDisruptionBudget/karpenter.spec.maxUnavailable', 'changes behaviour')
  },
  {
    name: 'a ClusterRole is given another rule',
    plant: async (hand) =>
      hand.edit(`${rbac}/clusterroles/karpenter`, [
        { op: 'add', path: '/rules/-', value: { apiGroups: [''], resources: ['secrets'], verbs: ['*'] } }
      ]),
    finds: inRelease('ClusterRole/karpenter.rules', 'weakens security')
  },
  {
    name: 'a rule is taken out of a ClusterRole',
    plant: async (hand) =>
      hand.edit(`${rbac}/clusterroles/karpenter-core`, [{ op: 'remove', path: '/rules/0' }]),
    finds: inRelease('ClusterRole/karpenter-core.rules')
  },
  {
    name: 'a RoleBinding is given another subject',
    plant: async (hand) =>
      hand.edit(`${rbac}/namespaces/karpenter/rolebindings/karpenter`, [
        {
          op: 'add',
          path: '/subjects/-',
          value: { kind: 'Group', name: 'developers', apiGroup: 'rbac.authorization.k8s.io' }
        }
      ]),
    finds: inRelease('RoleBinding/karpenter.subjects', 'weakens security')
  },
  {
    name: 'a ClusterRoleBinding is deleted',
    plant: async (hand) => hand.remove(`${rbac}/clusterrolebindings/karpenter-core`),
    finds: gone('helm-release', 'ClusterRoleBinding/karpenter-core')
  },
  {
    name: 'the service account is given a role by annotation',
    plant: async (hand) =>
      hand.edit(`${karpenter}/serviceaccounts/karpenter`, {
        metadata: { annotations: { 'eks.amazonaws.com/role-arn': `arn:aws:iam::${account}:role/admin` } }
      }),
    finds: inRelease(
      'ServiceAccount/karpenter.metadata.annotations.eks.amazonaws.com/role-arn',
      'weakens security'
    )
  }
]

/** With IRSA the annotation is the chart's. */
export const annotationRemoved: Drift = {
  name: 'the annotation with the role is taken off the service account',
  plant: async (hand) =>
    hand.edit(`${karpenter}/serviceaccounts/karpenter`, {
      metadata: { annotations: { 'eks.amazonaws.com/role-arn': null } }
    }),
  // Who only takes away is not kept in managedFields.
  finds: () => [
    {
      id: 'helm-release',
      path: 'ServiceAccount/karpenter.metadata.annotations.eks.amazonaws.com/role-arn',
      severity: 'breaks scaling'
    }
  ]
}

const pool = `${paths.nodePools}/default`
const nodeClass = `${paths.nodeClasses}/default`
const inPool = (path: string, severity?: Expected['severity']): Drift['finds'] =>
  found('node-pool/default', path, severity)
const inClass = (path: string, severity?: Expected['severity']): Drift['finds'] =>
  found('ec2-node-class/default', path, severity)

export const karpenterDrifts: readonly Drift[] = [
  {
    name: 'a limit of the NodePool is lowered',
    plant: async (hand) => hand.edit(pool, { spec: { limits: { cpu: '4' } } }),
    finds: inPool('spec.limits.cpu')
  },
  {
    name: 'the NodePool is given another limit',
    plant: async (hand) => hand.edit(pool, { spec: { limits: { 'nvidia.com/gpu': '0' } } }),
    finds: inPool('spec.limits.nvidia.com/gpu')
  },
  {
    name: 'the NodePool is given another requirement',
    plant: async (hand) =>
      hand.edit(pool, [
        {
          op: 'add',
          path: '/spec/template/spec/requirements/-',
          value: { key: 'kubernetes.io/arch', operator: 'In', values: ['arm64'] }
        }
      ]),
    finds: inPool('spec.template.spec.requirements')
  },
  {
    name: 'nodes of the NodePool are given a label',
    plant: async (hand) =>
      hand.edit(pool, { spec: { template: { metadata: { labels: { team: 'finance' } } } } }),
    finds: inPool('spec.template.metadata', 'changes behaviour')
  },
  {
    name: 'nodes of the NodePool are given a taint',
    plant: async (hand) =>
      hand.edit(pool, {
        spec: { template: { spec: { taints: [{ key: 'finance', effect: 'NoSchedule' }] } } }
      }),
    finds: inPool('spec.template.spec.taints')
  },
  {
    name: 'the NodePool consolidates later',
    plant: async (hand) => hand.edit(pool, { spec: { disruption: { consolidateAfter: '24h' } } }),
    finds: inPool('spec.disruption.consolidateAfter', 'changes behaviour')
  },
  {
    name: 'the NodePool is deleted',
    hides: true,
    plant: async (hand) => hand.remove(pool),
    finds: gone('node-pool/default', '')
  },
  {
    name: 'the EC2NodeClass selects other subnets',
    plant: async (hand) =>
      hand.edit(nodeClass, {
        spec: { subnetSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'another' } }] }
      }),
    finds: inClass('spec.subnetSelectorTerms')
  },
  {
    name: 'the EC2NodeClass is given user data',
    plant: async (hand) =>
      hand.edit(nodeClass, { spec: { userData: '#!/bin/sh\ncurl https://example.com' } }),
    finds: inClass('spec.userData')
  },
  {
    name: 'the EC2NodeClass is given a tag',
    plant: async (hand) => hand.edit(nodeClass, { spec: { tags: { owner: 'finance' } } }),
    finds: inClass('spec.tags.owner', 'cosmetic')
  },
  {
    name: 'instances answer metadata requests without a token',
    plant: async (hand) => hand.edit(nodeClass, { spec: { metadataOptions: { httpTokens: 'optional' } } }),
    finds: inClass('spec.metadataOptions.httpTokens', 'weakens security')
  },
  {
    name: 'the EC2NodeClass gives nodes another role',
    plant: async (hand) => hand.edit(nodeClass, { spec: { role: 'another-node-role' } }),
    finds: inClass('spec.role')
  },
  {
    name: 'the EC2NodeClass is deleted',
    hides: true,
    plant: async (hand) => hand.remove(nodeClass),
    finds: gone('ec2-node-class/default', '')
  }
]
