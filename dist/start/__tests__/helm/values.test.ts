import fc from 'fast-check'
import { overlay } from '../../src/engine/json.js'
import { editDistance, guideValues, unknownValues, type Values } from '../../src/helm/values.js'

/** The shape of the chart's values.yaml, as far as the tests need it. */
const chart: Values = {
  nameOverride: '',
  additionalLabels: {},
  imagePullSecrets: [],
  serviceAccount: { create: true, name: '', annotations: {} },
  replicas: 2,
  terminationGracePeriodSeconds: null,
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  affinity: { nodeAffinity: {} },
  tolerations: [{ key: 'CriticalAddonsOnly', operator: 'Exists' }],
  controller: {
    image: { repository: 'x', tag: '1', digest: '' },
    env: [],
    resources: {},
    metrics: { port: 8080 }
  },
  logLevel: 'info',
  settings: {
    clusterName: '',
    clusterEndpoint: '',
    interruptionQueue: '',
    isolatedVPC: false,
    featureGates: { spotToSpotConsolidation: false }
  }
}
const problems = (user: Values): string[] =>
  unknownValues(user, chart).map((one) => `${one.path}: ${one.problem}`)

test("the guide's settings are known to the chart", () => {
  const values = guideValues({
    clusterName: 'blue',
    interruptionQueue: 'blue',
    controllerRoleArn: 'arn:aws:iam::1:role/x'
  })
  expect(problems(values)).toEqual([])
  expect(values).toEqual({
    settings: { clusterName: 'blue', interruptionQueue: 'blue' },
    controller: { resources: { requests: { cpu: 1, memory: '1Gi' }, limits: { cpu: 1, memory: '1Gi' } } },
    serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/x' } }
  })
})

test.each<[string, Values, string]>([
  [
    'settings.aws.clusterName',
    { settings: { aws: { clusterName: 'x' } } },
    'it is called settings.clusterName'
  ],
  [
    'settings.aws.defaultInstanceProfile',
    { settings: { aws: { defaultInstanceProfile: 'x' } } },
    'it became spec.instanceProfile, or spec.role, of the EC2NodeClass'
  ],
  [
    'settings.aws.interruptionQueueName',
    { settings: { aws: { interruptionQueueName: 'x' } } },
    'it is called settings.interruptionQueue'
  ],
  ...[
    'enablePodENI',
    'enableENILimitedPodDensity',
    'nodeNameConvention',
    'assumeRoleARN',
    'assumeRoleDuration'
  ]
    .flatMap((key): [string, Values][] => [
      [`settings.aws.${key}`, { settings: { aws: { [key]: 'x' } } }],
      [`settings.${key}`, { settings: { [key]: 'x' } }]
    ])
    .map(([path, values]): [string, Values, string] => [path, values, ': it is gone']),
  ['logEncoding', { logEncoding: 'console' }, 'it is gone since 1.0'],
  ['featureGates.driftEnabled', { featureGates: { driftEnabled: true } }, 'it is gone: drift is always on'],
  [
    'settings.featureGates.driftEnabled',
    { settings: { featureGates: { driftEnabled: true } } },
    'it is gone: drift is always on'
  ],
  [
    'controller.securityContext',
    { controller: { securityContext: { runAsUser: 0 } } },
    "it is the chart's own"
  ],
  ['clusterName', { clusterName: 'x' }, 'it is called settings.clusterName'],
  ['clusterEndpoint', { clusterEndpoint: 'x' }, 'it is called settings.clusterEndpoint'],
  ['webhook', { webhook: { enabled: true } }, 'it is gone since 1.1'],
  [
    'settings.interuptionQueue',
    { settings: { interuptionQueue: 'x' } },
    'did you mean settings.interruptionQueue?'
  ],
  ['replica', { replica: 1 }, 'did you mean replicas?'],
  ['isolatedVPC', { isolatedVPC: true }, 'did you mean settings.isolatedVPC?'],
  ['controller.imagee', { controller: { imagee: {} } }, 'did you mean controller.image?'],
  ['bananas', { bananas: 1 }, 'the chart has no such value'],
  ['settings', { settings: 'x' }, 'it is a map in the chart'],
  [
    'karpenter',
    { karpenter: { settings: { clusterName: 'x' }, replicas: 1 } },
    'what stands below karpenter alone'
  ],
  ['karpenter', { karpenter: { webhook: { enabled: false } } }, 'what stands below karpenter alone'],
  ['settings.clusterName', { 'settings.clusterName': 'x' }, 'a dot in a key is no step'],
  ['tolerations', { tolerations: { key: 'a', operator: 'Exists' } }, 'it is a list in the chart, not a map'],
  ['controller.env', { controller: { env: { A: 'b' } } }, 'it is a list in the chart, not a map'],
  ['imagePullSecrets', { imagePullSecrets: 'regcred' }, 'it is a list in the chart, not one value'],
  ['additionalLabels', { additionalLabels: 'a=b' }, 'it is a map or a list in the chart, not one value'],
  ['replicas', { replicas: { min: 1 } }, 'it is one value in the chart (2), not a map']
])('%s is named with what it is called now, or what it should be', (path, user, problem) => {
  expect(problems(user)).toEqual([expect.stringContaining(`${path}: `)])
  expect(problems(user)[0]).toContain(problem)
})

test("a security context is known as far as the chart's own values have it, as since 1.14", () => {
  const newer = { controller: { securityContext: { seccompProfile: {}, appArmorProfile: {} } } }
  const given = {
    controller: { securityContext: { seccompProfile: { type: 'RuntimeDefault' }, runAsUser: 0 } }
  }
  expect(unknownValues(given, newer)).toEqual([
    {
      path: 'controller.securityContext.runAsUser',
      problem:
        "it is the chart's own: no privileges, read-only root, user 65532; podSecurityContext can be set"
    }
  ])
})

test('what the pod is given as it is may hold anything', () => {
  expect(
    problems({
      nodeSelector: { role: 'system' },
      affinity: { podAffinity: {} },
      tolerations: [],
      additionalLabels: { team: 'x' },
      serviceAccount: { annotations: { a: 'b' } },
      controller: {
        env: [{ name: 'A', value: 'b' }],
        resources: { limits: { cpu: 2 } },
        image: { repository: 'mirror' }
      },
      terminationGracePeriodSeconds: 30,
      settings: { featureGates: { spotToSpotConsolidation: true } }
    })
  ).toEqual([])
})

test('what is empty says nothing, and an empty map may hold a list', () => {
  const empty = { tolerations: {}, additionalLabels: '', imagePullSecrets: '', affinity: null }
  expect(problems({ ...empty, additionalLabels: ['a'], controller: { env: null } })).toEqual([])
})

test('maps are merged key by key, everything else is replaced', () => {
  expect(overlay({ a: { b: 1, c: [1, 2] }, d: 1 }, { a: { c: [3] }, d: { e: 1 } })).toEqual({
    a: { b: 1, c: [3] },
    d: { e: 1 }
  })
})

test('merging never loses what the user gave', () => {
  const values = fc.dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.oneof(fc.integer(), fc.dictionary(fc.constantFrom('x', 'y'), fc.integer()))
  )
  fc.assert(
    fc.property(values, values, (below, above) => {
      expect(overlay(overlay(below, above), above)).toEqual(overlay(below, above))
      for (const [key, value] of Object.entries(above)) {
        if (typeof value === 'number') expect(overlay(below, above)[key]).toBe(value)
        else expect(overlay(below, above)[key]).toMatchObject(value)
      }
    })
  )
})

test('distance counts insertions, deletions, replacements and swaps', () => {
  expect([
    editDistance('queue', 'queue'),
    editDistance('quene', 'queue'),
    editDistance('qeuue', 'queue')
  ]).toEqual([0, 1, 1])
  expect(editDistance('', 'abc')).toBe(3)
})
