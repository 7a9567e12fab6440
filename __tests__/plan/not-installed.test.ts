import type { Inspection } from '../../src/engine/resource.js'
import { isNotInstalled, notInstalledFinding } from '../../src/plan/not-installed.js'
import { deniedOf, lookedAt, recordWith } from './inspections.js'

type Found = Parameters<typeof isNotInstalled>[0]
type States = Readonly<Record<string, Inspection['state']>>

const nothing: Found = { record: undefined, denied: [], controllers: [] }
const controller = { namespace: 'other', deployment: 'karpenter', version: '1.14.1', release: undefined }

test.each<[string, Partial<Found>, States, boolean]>([
  ['nothing at all', {}, {}, true],
  ['what a removal leaves', {}, { 'controller-role': 'as wanted', crds: 'differs' }, true],
  ['nodes that may not be read', { denied: [deniedOf('nodes')] }, {}, true],
  ['a record', { record: recordWith([]) }, {}, false],
  ['a record that cannot be read', { brokenRecord: 'it is no JSON' }, {}, false],
  ['a record that may not be read', { denied: [deniedOf('record')] }, {}, false],
  ['controllers that may not be read', { denied: [deniedOf('controllers')] }, {}, false],
  ['a controller, though in another namespace', { controllers: [controller] }, {}, false],
  ['a release', {}, { 'helm-release': 'differs' }, false],
  ['a release that may not be read', {}, { 'helm-release': 'unreadable' }, false],
  ['a stack', {}, { stack: 'as wanted' }, false]
])('where there is %s', async (_what, found, states, notInstalled) => {
  const { inspections } = await lookedAt({ stack: 'absent', 'helm-release': 'absent', ...states })
  expect(isNotInstalled({ ...nothing, ...found }, inspections)).toBe(notInstalled)
})

test.each<[States, string]>([
  [{ stack: 'absent', 'helm-release': 'absent' }, 'not installed: 2 resources to make'],
  [
    { stack: 'absent', crds: 'differs', namespace: 'as wanted', queue: 'unreadable' },
    'not installed: 1 resource to make, 1 to change'
  ]
])('one finding stands for all of %j', async (states, reason) => {
  const { inspections } = await lookedAt(states)
  expect(notInstalledFinding('1.14.1', inspections)).toEqual({
    kind: 'pending',
    id: 'installation',
    title: 'Karpenter',
    layer: 'karpenter',
    path: '',
    wanted: '1.14.1',
    recorded: undefined,
    live: undefined,
    severity: 'changes behaviour',
    reason,
    install: 'install 1.14.1'
  })
})
