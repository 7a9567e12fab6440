import type { InstallRecord } from '../../src/engine/record.js'
import type { Inspection } from '../../src/engine/resource.js'
import {
  lostRecordFinding,
  recordIsBehind,
  recordIsLost,
  recordValuesNotes
} from '../../src/plan/lost-record.js'
import { deniedOf, lookedAt, recordWith } from './inspections.js'

type Found = Parameters<typeof recordIsLost>[0]
type States = Readonly<Record<string, Inspection['state']>>

const stands: States = { stack: 'absent', 'helm-release': 'differs' }
const gone: States = { stack: 'as wanted', 'helm-release': 'absent' }
const none: Found = { record: undefined, denied: [] }

test.each<[string, Found, States, boolean]>([
  ['there is none, and a release stands', none, stands, true],
  ['there is none, and no release stands', none, gone, false],
  ['there is one', { ...none, record: recordWith([]) }, stands, false],
  ['it may not be read', { ...none, denied: [deniedOf('record')] }, stands, false],
  ['something else may not be read', { ...none, denied: [deniedOf('nodes')] }, stands, true]
])('whether the record is lost where %s', async (_where, found, states, lost) => {
  const { inspections } = await lookedAt(states)
  expect(recordIsLost(found, inspections)).toBe(lost)
  expect(lostRecordFinding(found, inspections)).toHaveLength(lost ? 1 : 0)
})

test.each<[string, string | undefined, string, string]>([
  [
    'is gone',
    undefined,
    'the record of the install is not there, so drift cannot be told from what the inputs changed',
    'write it anew, from marks and from what is there'
  ],
  [
    'cannot be read',
    'it is no JSON',
    'the record of the install cannot be read: it is no JSON',
    'write it anew, from marks and from what is there, and keep the other as Secret setup-karpenter-unreadable'
  ]
])('a check says of a record that %s what an install does', async (_what, brokenRecord, reason, install) => {
  const { inspections } = await lookedAt(stands)
  const found = { ...none, ...(brokenRecord !== undefined && { brokenRecord }) }
  expect(lostRecordFinding(found, inspections)).toEqual([
    {
      kind: 'pending',
      id: 'record',
      title: 'ConfigMap kube-system/setup-karpenter',
      layer: 'kubernetes',
      path: '',
      wanted: 'the record of the install',
      recorded: undefined,
      live: undefined,
      severity: 'changes behaviour',
      reason,
      install
    }
  ])
})

const before = (id: string, wanted: unknown): Partial<InstallRecord> => ({
  resources: { stack: { before: [], wanted: 'wanted stack' }, [id]: { before: [], wanted } }
})

test.each<[string, InstallRecord | undefined, boolean]>([
  ['says what stands', recordWith(['stack', 'queue']), false],
  ['is not there', undefined, false],
  ['is of another version', recordWith(['stack', 'queue'], { karpenterVersion: '1.13.1' }), true],
  ['does not have one of it', recordWith(['stack']), true],
  ['only announces one of it', recordWith([], before('queue', undefined)), true],
  ['has one of it otherwise', recordWith([], before('queue', 'another queue')), true]
])('whether the record is behind where it %s', async (_what, record, behind) => {
  const { inspections } = await lookedAt({ stack: 'as wanted', queue: 'as wanted' })
  expect(recordIsBehind({ record }, '1.14.1', inspections)).toBe(behind)
})

test('what is wanted of nobody is in no record, and behind none', async () => {
  const { inspections } = await lookedAt({ stack: 'as wanted', 'spot-service-linked-role': 'as wanted' })
  const all = [...inspections].map(([id, one]): readonly [string, Inspection] => [
    id,
    id === 'stack' ? one : { ...one, resource: { ...one.resource, wanted: undefined } }
  ])
  expect(recordIsBehind({ record: recordWith(['stack']) }, '1.14.1', new Map(all))).toBe(false)
})

test.each([
  [undefined, []],
  [
    'in clear',
    [
      'the record (ConfigMap kube-system/setup-karpenter) has helm-values that may be secret in clear; the next install moves them into Secret kube-system/setup-karpenter'
    ]
  ],
  [
    'lost',
    [
      "the record's helm-values are gone from Secret kube-system/setup-karpenter; the next install writes them anew"
    ]
  ]
] as const)('of helm-values of the record that are %s a check says %j', (recordValues, notes) => {
  expect(recordValuesNotes(recordValues === undefined ? {} : { recordValues })).toEqual(notes)
})
