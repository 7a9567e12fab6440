import {
  chartSeverity,
  missingSeverity,
  valueSeverity
} from '../../../src/resources/controller/chart-severity.js'

const role = 'arn:aws:iam::111122223333:role/blue-karpenter'
const path = 'metadata.annotations.eks.amazonaws.com/role-arn'
const object = (kind: string, name = 'karpenter') => ({ apiVersion: 'v1', kind, metadata: { name } })

it.each([
  ['breaks scaling where the controller is left without a role', { wanted: role, live: undefined }],
  ['weakens security where another role is given', { wanted: role, live: `${role}-2` }],
  ['weakens security where a role is given that nothing asks for', { wanted: undefined, live: role }]
] as const)('the annotation of the service account %s', (name, found) => {
  expect(name.startsWith(chartSeverity(object('ServiceAccount'))(path, found).severity)).toBe(true)
})

it.each([
  ['settings.batchIdleDuration', 'changes behaviour', 'how long pods are collected for a node'],
  ['settings.clusterName', 'breaks scaling', 'the controller does not start'],
  ['settings.interruptionQueue', 'breaks scaling', 'it hears of interruptions by it'],
  ['settings.featureGates.spotToSpotConsolidation', 'changes behaviour', 'what the controller does'],
  ['settings.vmMemoryOverheadPercent', 'changes behaviour', 'how much it takes to fit on a node'],
  ['logLevel', 'changes behaviour', 'what the controller writes into its log'],
  ['controller.image.tag', 'breaks scaling', 'the controller does not start'],
  ['controller.resources.limits.memory', 'breaks scaling', 'is ended'],
  ['controller.resources.limits.cpu', 'changes behaviour', undefined],
  ['tolerations', 'breaks scaling', 'its pods may find no node'],
  ['podSecurityContext.fsGroup', 'weakens security', 'on their node'],
  ['serviceAccount.name', 'breaks scaling', 'gets its role by it'],
  ['replicas', 'changes behaviour', 'how many controllers stand by'],
  ['serviceMonitor.enabled', 'changes behaviour', undefined],
  ['aValueOfTomorrow', 'changes behaviour', undefined]
])('value %s %s', (name, severity, effect) => {
  expect(valueSeverity(`values.${name}`, 1)).toEqual({
    severity,
    ...(effect !== undefined && { effect: expect.stringContaining(effect) as unknown })
  })
})

it('no replica at all breaks scaling, as a value and in the Deployment', () => {
  expect(valueSeverity('values.replicas', 0).severity).toBe('breaks scaling')
  const severity = chartSeverity(object('Deployment'))
  expect(severity('spec.replicas', { wanted: 2, live: 0 }).severity).toBe('breaks scaling')
  expect(severity('spec.replicas', { wanted: 2, live: 1 }).severity).toBe('changes behaviour')
})

const container = 'spec.template.spec.containers[controller]'

it.each([
  [`${container}.env[BATCH_IDLE_DURATION].value`, 'changes behaviour'],
  [`${container}.env[LOG_LEVEL].value`, 'changes behaviour'],
  [`${container}.env[CLUSTER_NAME].value`, 'breaks scaling'],
  [`${container}.env[INTERRUPTION_QUEUE].value`, 'breaks scaling'],
  [`${container}.image`, 'breaks scaling'],
  [`${container}.args`, 'changes behaviour'],
  [`${container}.resources.limits.memory`, 'breaks scaling'],
  [`${container}.resources.requests.cpu`, 'changes behaviour'],
  [`${container}.securityContext.readOnlyRootFilesystem`, 'weakens security'],
  ['spec.template.spec.affinity.nodeAffinity', 'breaks scaling'],
  ['spec.strategy.rollingUpdate.maxUnavailable', 'changes behaviour'],
  ['spec.revisionHistoryLimit', 'cosmetic'],
  ['metadata.labels.team', 'cosmetic']
])('field %s of the Deployment %s', (at, severity) => {
  expect(chartSeverity(object('Deployment'))(at, { wanted: 'a', live: 'b' }).severity).toBe(severity)
})

it.each([
  ['Deployment', 'karpenter', 'breaks scaling'],
  ['ClusterRole', 'karpenter-core', 'breaks scaling'],
  ['ClusterRole', 'karpenter-admin', 'changes behaviour'],
  ['PodDisruptionBudget', 'karpenter', 'changes behaviour'],
  ['Service', 'karpenter', 'changes behaviour']
])('%s %s that is gone %s', (kind, name, severity) => {
  expect(missingSeverity(object(kind, name)).severity).toBe(severity)
})
