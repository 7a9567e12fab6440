import type { CheckName } from '../src/preflight/catalogue.js'

/** Level of a finding, and the test that provokes it out of dist/: the file in e2e/ and its title. */
export type Provoked = readonly [level: 'error' | 'warning' | 'note', file: string, title: string]

const of = {
  older:
    'what 1.0 leaves: objects stored as v1beta1, its webhooks, kubelet settings, references that lack something',
  leftovers: 'whatever an older Karpenter and its releases left, all in one report',
  classes: 'roles and instance profiles that are not there, that have no role, or that may not be passed',
  offers:
    'a zone that no selected subnet is in, and requirements that leave no instance type, with the one that excludes the last',
  unread: 'what may not be read is noted, and nothing is refused for it',
  endpoints: 'is refused without endpoints, all of them named at once',
  otherCluster: 'of another cluster on a subnet, shared and owned',
  left: 'are left as they are by a run that changes something else, which warns of their version'
} as const

/**
 * Where each finding of src/preflight/catalogue.ts is seen, in the catalogue's order. __tests__/preflight/provoked.test.ts
 * holds the two to each other: a new finding needs a test that provokes it.
 */
export const provoked: Readonly<Record<CheckName, readonly Provoked[]>> = {
  'cluster-active': [
    ['error', 'preflight.test.ts', 'one that has failed'],
    ['warning', 'preflight.test.ts', 'one that is being updated: a warning, which only `strict` refuses']
  ],
  'cluster-endpoint': [
    ['error', 'preflight.test.ts', 'a private endpoint that this runner does not reach, within seconds']
  ],
  'auto-mode': [['error', 'broken.test.ts', 'a cluster in Auto Mode']],
  'version-pair': [
    ['error', 'preflight.test.ts', 'a pair that is not in the matrix, which can be allowed'],
    ['error', 'preflight.test.ts', 'another major version, before anything of it is downloaded'],
    ['error', 'preflight.test.ts', 'release %s, with the one to take'],
    ['error', 'preflight-leftovers.test.ts', 'a controller of %s, which the newest cannot follow'],
    ['warning', 'preflight.test.ts', 'release %s, with the one to take'],
    ['error', 'upgrade-failed.test.ts', 'is refused, with what to pass'],
    [
      'warning',
      'upgrade-failed.test.ts',
      'is done when it is allowed: the chart before its CRDs, and CRDs that only the newer one has stay'
    ]
  ],
  'rolling-update': [['warning', 'preflight-leftovers.test.ts', of.older]],
  'v1beta1-remains': [
    ['error', 'preflight-leftovers.test.ts', of.older],
    ['warning', 'preflight-leftovers.test.ts', of.older],
    ['error', 'preflight-leftovers.test.ts', of.older]
  ],
  'ami-alias': [
    ['error', 'preflight.test.ts', 'images that there are none of, each said once'],
    ['error', 'preflight.test.ts', 'images that there are none of, each said once'],
    ['note', 'preflight.test.ts', 'without permission to read them a pinned release is only noted']
  ],
  'another-karpenter': [
    ['error', 'preflight-leftovers.test.ts', 'another controller beside it'],
    ['error', 'preflight-leftovers.test.ts', of.older],
    ['error', 'preflight-account.test.ts', of.leftovers],
    ['warning', 'preflight-leftovers.test.ts', of.older],
    ['warning', 'preflight-account.test.ts', of.leftovers],
    ['warning', 'preflight-account.test.ts', of.leftovers],
    ['warning', 'preflight-leftovers.test.ts', of.older]
  ],
  'left-crds': [
    ['error', 'crd-ownership.test.ts', 'are not left to manifests with fields that they do not have'],
    ['warning', 'crd-ownership.test.ts', of.left],
    ['note', 'crd-ownership.test.ts', of.left]
  ],
  'pruned-fields': [
    ['error', 'upgrade-failed.test.ts', 'is refused while an object has a field that older CRDs do not have']
  ],
  'not-adopted': [
    [
      'error',
      'adoption-scenario.ts',
      'an install that is not asked to adopt is refused before the first write'
    ],
    [
      'error',
      'preflight-account.test.ts',
      'a Karpenter that is not of helm, and has no role, cannot be taken over'
    ],
    ['error', 'adoption-scenario.ts', 'another name than it has is refused, whatever the record says']
  ],
  'cluster-autoscaler': [['warning', 'preflight-account.test.ts', 'Cluster Autoscaler, which is a warning']],
  'names-and-policy-size': [
    ['error', 'preflight.test.ts', 'an ARN is taken for the role that it names'],
    ['error', 'preflight-leftovers.test.ts', 'policies that come to more than IAM takes']
  ],
  identity: [
    ['error', 'preflight-account.test.ts', 'a Pod Identity agent that runs on no node'],
    ['warning', 'preflight-leftovers.test.ts', 'a Pod Identity agent that is Ready on one node of two'],
    [
      'error',
      'preflight-leftovers.test.ts',
      'a cluster without OIDC issuer, where the controller is to have its role by IRSA'
    ]
  ],
  queue: [
    ['error', 'broken.test.ts', 'a queue that is not there'],
    [
      'warning',
      'preflight-leftovers.test.ts',
      'a queue that no rule of the stack leads to, and that the controller may not read'
    ]
  ],
  'name-taken': [
    [
      'error',
      'preflight-account.test.ts',
      'a queue and a node role of those names, without a stack that they could be of'
    ]
  ],
  'stack-service-role': [
    [
      'error',
      'stack-role.test.ts',
      'a role that CloudFormation may not take is refused before the first write'
    ]
  ],
  'not-ours': [
    ['error', 'broken.test.ts', 'a controller role of that name which trusts another namespace'],
    [
      'error',
      'crd-ownership.test.ts',
      'of an older Helm release are not written: the error names it and both ways out'
    ],
    ['error', 'preflight-leftovers.test.ts', 'a resource that may not be read']
  ],
  permissions: [
    ['error', 'preflight-account.test.ts', 'everything that the role lacks, at once'],
    [
      'note',
      'preflight-account.test.ts',
      'a role that may not simulate is noted, and nothing is refused for it'
    ]
  ],
  'subnet-tags-conflict': [
    ['error', 'broken.test.ts', 'a subnet that is tagged for another cluster'],
    ['warning', 'preflight-leftovers.test.ts', 'subnets of one zone']
  ],
  network: [
    [
      'error',
      'preflight-network.test.ts',
      'of all subnets chosen lead nowhere: refused, unless it is allowed'
    ],
    [
      'warning',
      'preflight-network.test.ts',
      'of some subnets lead nowhere: one warning with all of them, and the good ones'
    ],
    ['warning', 'preflight-network.test.ts', of.endpoints],
    ['warning', 'preflight-network.test.ts', 'is warned of where the controller is told nothing of it'],
    ['warning', 'preflight-network.test.ts', 'of this cluster on no group, and on two'],
    ['warning', 'preflight-network.test.ts', of.otherCluster],
    ['note', 'preflight-network.test.ts', of.otherCluster],
    ['note', 'preflight-network.test.ts', 'what may not be read is noted, and refuses nothing']
  ],
  'ipv6-pods': [
    ['warning', 'node-groups.test.ts', 'whose pods have IPv6 addresses are told which policy to add'],
    ['note', 'node-groups.test.ts', 'that may not be read are noted']
  ],
  'node-security-groups': [
    ['warning', 'node-groups.test.ts', 'are warned of before the first write, with the group to pass'],
    ['note', 'node-groups.test.ts', 'that may not be read are noted']
  ],
  'node-class-selectors': [
    ['error', 'preflight-manifests.test.ts', 'subnets and security groups that terms do not find']
  ],
  'node-class-role': [
    ['error', 'preflight-manifests.test.ts', of.classes],
    ['error', 'preflight-manifests.test.ts', of.classes],
    ['error', 'preflight-manifests.test.ts', of.classes],
    ['note', 'preflight-manifests.test.ts', of.unread]
  ],
  'node-class-images': [
    ['error', 'preflight-manifests.test.ts', 'images that there are none of'],
    ['note', 'preflight-manifests.test.ts', of.unread]
  ],
  'node-class-reference': [
    [
      'error',
      'preflight-manifests.test.ts',
      'an EC2NodeClass that is neither in the manifests nor in the cluster'
    ]
  ],
  'node-pool-requirements': [
    ['error', 'preflight-manifests.test.ts', of.offers],
    ['error', 'preflight-manifests.test.ts', of.offers],
    ['note', 'preflight-manifests.test.ts', of.unread]
  ],
  'controller-on-own-nodes': [
    ['warning', 'preflight-manifests.test.ts', 'a controller that could run on its own nodes is warned of']
  ],
  'controller-capacity': [
    ['error', 'broken.test.ts', 'one schedulable node for two replicas'],
    ['error', 'preflight-capacity.test.ts', 'is all there is, and takes the controller in or not'],
    [
      'error',
      'preflight-capacity.test.ts',
      'takes the controller in, and Pod Identity does not serve it there: refused'
    ],
    ['warning', 'preflight-capacity.test.ts', 'is made at the cost of pods of a lower priority: a warning'],
    ['note', 'preflight-capacity.test.ts', 'that may not be asked for is noted']
  ],
  'template-policies': [
    ['error', 'broken.test.ts', 'a template whose stack lacks a policy'],
    ['warning', 'preflight-leftovers.test.ts', 'a template without what only features off by default need']
  ],
  'chart-values': [['error', 'preflight.test.ts', 'a pair that is not in the matrix, which can be allowed']],
  admission: [
    ['error', 'admission.test.ts', 'a policy that refuses the namespace, before the first write'],
    [
      'warning',
      'admission.test.ts',
      'a policy that refuses Deployments: a warning where the namespace is not there yet'
    ]
  ],
  'manifest-dry-run': [
    [
      'error',
      'preflight-manifests.test.ts',
      'what the API server refuses, and a NodePool for an EC2NodeClass that only the cluster has'
    ],
    [
      'error',
      'preflight-manifests.test.ts',
      'what the CRDs will refuse: unknown fields, patterns, and rules in CEL'
    ]
  ]
}
