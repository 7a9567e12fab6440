import { claimAilments, stuckOf } from '../../src/health/claims.js'
import type { Manifest } from '../../src/kubernetes/manifest.js'

const now = Date.parse('2026-11-29T12:00:00Z')
const ago = (minutes: number): string => new Date(now - minutes * 60_000).toISOString()

interface Given {
  readonly conditions?: readonly (readonly [type: string, status: string, minutes: number])[]
  readonly created?: number
  readonly deleted?: number
  readonly ends?: number
  readonly node?: string
  readonly group?: string
}

function claim({ conditions = [], created = 600, deleted, ends, node, group }: Given): Manifest {
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: {
      name: 'default-x',
      labels: { 'karpenter.sh/nodepool': 'default' },
      ...(ends !== undefined && {
        annotations: { 'karpenter.sh/nodeclaim-termination-timestamp': ago(ends) }
      }),
      ...{ creationTimestamp: ago(created) },
      ...(deleted !== undefined && { deletionTimestamp: ago(deleted) })
    },
    spec: { nodeClassRef: { group: group ?? 'karpenter.k8s.aws', name: 'default' } },
    status: {
      ...(node !== undefined && { nodeName: node }),
      conditions: conditions.map(([type, status, minutes]) => ({
        type,
        status,
        reason: type,
        message: '',
        lastTransitionTime: ago(minutes)
      }))
    }
  }
}

test.each<[string, Given, string | undefined, string | undefined]>([
  ['just launching', { conditions: [['Launched', 'Unknown', 6]] }, '1.14.1', undefined],
  ['launching', { conditions: [['Launched', 'Unknown', 8]] }, '1.14.1', 'launching'],
  ['launching without a word', { created: 8 }, '1.14.1', 'launching'],
  ['launching before there was a limit', { conditions: [['Launched', 'Unknown', 8]] }, '1.6.3', undefined],
  ['launching at the older limit', { conditions: [['Launched', 'Unknown', 18]] }, '1.6.3', 'launching'],
  [
    'launching by a version that is not known',
    { conditions: [['Launched', 'Unknown', 8]] },
    undefined,
    undefined
  ],
  [
    'registering',
    {
      conditions: [
        ['Launched', 'True', 18],
        ['Registered', 'Unknown', 18]
      ]
    },
    '1.14.1',
    'registering'
  ],
  [
    'just registering',
    {
      conditions: [
        ['Launched', 'True', 16],
        ['Registered', 'Unknown', 16]
      ]
    },
    '1.14.1',
    undefined
  ],
  [
    'initializing with drivers that take their time',
    {
      conditions: [
        ['Launched', 'True', 55],
        ['Registered', 'True', 55],
        ['Initialized', 'Unknown', 55]
      ]
    },
    '1.14.1',
    undefined
  ],
  [
    'initializing for longer than anything takes',
    {
      conditions: [
        ['Launched', 'True', 90],
        ['Registered', 'True', 90],
        ['Initialized', 'Unknown', 90]
      ]
    },
    '1.14.1',
    'initializing'
  ],
  ['draining for hours', { deleted: 300, node: 'one' }, '1.14.1', undefined],
  ['draining for more than a day', { deleted: 1_443, node: 'one' }, '1.14.1', 'draining'],
  ['past the end of its drain', { deleted: 60, ends: 18, node: 'one' }, '1.14.1', 'terminating'],
  ['before the end of its drain', { deleted: 2_000, ends: -60, node: 'one' }, '1.14.1', undefined],
  [
    'an instance that does not end',
    { deleted: 60, node: 'one', conditions: [['InstanceTerminating', 'True', 18]] },
    '1.14.1',
    'terminating'
  ],
  [
    'an instance that is ending',
    { deleted: 2_000, node: 'one', conditions: [['InstanceTerminating', 'True', 5]] },
    '1.14.1',
    undefined
  ],
  ['one that never had a node', { deleted: 18 }, '1.14.1', 'terminating'],
  ["EKS Auto Mode's", { created: 300, group: 'eks.amazonaws.com' }, '1.14.1', undefined]
])('of a NodeClaim that is %s', (_what, given, version, stage) => {
  expect(stuckOf(claim(given), version, now)?.stage).toBe(stage)
})

test('many of one NodePool that stick for one reason are one ailment', () => {
  const stuck = [1, 2, 3, 4, 5].map((number) => ({
    name: `claim-${number}`,
    nodePool: 'default',
    stage: 'registering' as const,
    since: now - number * 60_000,
    said: ''
  }))
  const found = claimAilments([
    ...stuck,
    { name: 'b', nodePool: 'batch', stage: 'launching', since: now, said: '' }
  ])
  expect([...found.keys()]).toEqual(['default', 'batch'])
  expect(found.get('default')).toMatchObject([
    {
      live: 5,
      reason:
        '5 NodeClaims of NodePool default are registering for longer than the 15 minutes that Karpenter gives them (claim-5, claim-4, claim-3 and 2 more; the first since 2026-11-29T11:55:00.000Z)'
    }
  ])
})
