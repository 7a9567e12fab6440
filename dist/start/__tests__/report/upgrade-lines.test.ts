import { upgradeLines, upgradeText, upgradeWarnings } from '../../src/report/upgrade-lines.js'
import type { UpgradeNotes } from '../../src/upgrade/notes.js'

const nodes = {
  nodes: 12,
  replaced: 0,
  mayBeReplaced: 0,
  driftedAlready: 0,
  causes: [],
  notes: []
}
const notes: UpgradeNotes = {
  from: '1.2.1',
  to: '1.5.0',
  direction: 'upgrade',
  passes: ['1.3', '1.4'],
  permissions: {
    by: 'recorded policies',
    added: ['ec2:DescribeCapacityReservations'],
    removed: [],
    statements: [
      {
        policy: 'Controller-blue',
        statement: 'AllowRegionalReadActions',
        change: 'changed',
        gains: ['Effect: Allow', 'Action: ec2:DescribeCapacityReservations', 'Resource: *'],
        loses: []
      }
    ],
    policies: { added: [], removed: ['Old-blue'] }
  },
  crds: [
    {
      crd: 'nodepools.karpenter.sh',
      change: 'changed',
      versions: { added: [], gone: ['v1beta1'] },
      added: ['spec.a', 'spec.b', 'spec.c', 'spec.d', 'spec.e'],
      gone: ['spec.f'],
      changed: [
        { path: 'spec.g', change: 'is required now' },
        { path: 'spec.h', change: 'CEL rules: 1 new' }
      ]
    },
    {
      crd: 'nodeoverlays.karpenter.sh',
      change: 'new',
      versions: { added: ['v1alpha1'], gone: [] },
      added: [],
      gone: [],
      changed: []
    }
  ],
  fieldsLost: [{ object: 'NodePool batch', path: 'spec.f' }],
  chart: {
    dead: [{ path: 'webhook', problem: 'it is gone since 1.1', given: 'to the installed release' }],
    added: [{ path: 'settings.preferencePolicy', value: 'Respect' }],
    gone: ['old'],
    defaults: [{ path: 'replicas', before: 2, after: 3 }]
  },
  cautions: [
    { version: '1.3.0', text: 'it tries', source: 'guide', concerns: 'unknown' },
    { version: '1.4.0', text: 'a swap', source: 'guide', concerns: 'yes', handled: 'with the stack' },
    { version: '1.5.0', text: 'not here', source: 'guide', concerns: 'no' }
  ],
  nodes,
  unread: []
}

test('a line says each thing once, with what is long counted, and cautions that do not concern left out', () => {
  expect(upgradeLines(notes, 'install')).toEqual([
    'upgrade of Karpenter from 1.2.1 to 1.5.0, past 1.3, 1.4',
    'permissions (by the recorded policies): 1 more, 0 less, in 1 statement',
    '  changed AllowRegionalReadActions (Controller-blue): + ec2:DescribeCapacityReservations',
    '  policies: 1 gone (Old-blue)',
    'CRD nodepools.karpenter.sh: v1beta1 is no longer served; 5 fields new (spec.a, spec.b, spec.c, spec.d and 1 more); 1 field gone (spec.f); spec.g is required now; 1 rule or limit changed',
    'CRD nodeoverlays.karpenter.sh is new',
    'NodePool batch: the CRDs of 1.5.0 have no spec.f, which it would lose',
    'chart value webhook, given to the installed release: it is gone since 1.1',
    'chart default replicas: 2 becomes 3',
    'chart values gone: old',
    'chart values new: settings.preferencePolicy (Respect)',
    'since 1.3.0: it tries',
    'since 1.4.0: a swap (with the stack)',
    '1 other caution of these versions does not concern this cluster',
    "nodes: of 12 nodes of Karpenter's, none is expected to be replaced because of this run"
  ])
})

test('nodes that will be replaced are a warning, the causes lines', () => {
  const drift = {
    ...nodes,
    replaced: 5,
    mayBeReplaced: 2,
    driftedAlready: 1,
    causes: [
      { object: 'EC2NodeClass default', reason: 'spec.userData changes', nodes: 5, certain: true },
      { object: 'EC2NodeClass batch', reason: 'images change', nodes: 2, certain: false }
    ]
  }
  expect(upgradeWarnings({ ...notes, nodes: drift }, 'install')).toEqual([
    'nodes: Karpenter will replace 5 and may replace 2 more of its 12 nodes because of this run, within the budgets of their NodePools; 1 node had drifted before, and will be replaced unless this run undoes why'
  ])
  expect(upgradeLines({ ...notes, nodes: drift }, 'install').slice(-2)).toEqual([
    'nodes: EC2NodeClass default: spec.userData changes (5 nodes)',
    'nodes: EC2NodeClass batch: images change (at most 2 nodes)'
  ])
  expect(upgradeWarnings(notes, 'install')).toEqual([])
})

test('what could not be read is said with the permission that lacks', () => {
  expect(upgradeLines({ ...notes, unread: ['list nodeclaims.karpenter.sh'] }, 'install').at(-1)).toBe(
    'not known without list nodeclaims.karpenter.sh: what depends on it is not said'
  )
})

test('the summary has a point for each line, under what it is about', () => {
  const text = upgradeText(notes, 'install')
  expect(text).toMatch(/^### Upgrade from 1\.2\.1 to 1\.5\.0\n/)
  expect(text).toContain('**Permissions**\n\n- permissions (by the recorded policies)')
  expect(text).toContain('**Nodes**\n\n- nodes: of 12 nodes')
  expect(upgradeText({ ...notes, direction: 'downgrade', from: '1.6.0' }, 'install')).toMatch(
    /^### Downgrade from/
  )
})

test('the summary of a change without another version is about nodes alone', () => {
  const alone: UpgradeNotes = {
    to: '1.5.0',
    direction: 'same version',
    passes: [],
    crds: [],
    fieldsLost: [],
    cautions: [],
    nodes,
    unread: []
  }
  expect(upgradeText(alone, 'install')).toMatch(/^### Nodes that this run replaces\n/)
  expect(
    upgradeText(alone, 'install')
      .split('\n')
      .filter((line) => line !== '')
  ).toHaveLength(3)
  expect(upgradeText(alone, 'plan')).toMatch(/^### Nodes that an install replaces\n/)
  expect(upgradeText(alone, 'plan')).not.toContain('this run')
})
