import type { InstallRecord } from '../../src/engine/record.js'
import { newestTested, testedPatchOf } from '../../src/karpenter/tested-versions.js'
import { tableFacts } from '../../src/karpenter/version-facts.js'
import {
  clusterMoved,
  type VersionFindingFacts,
  versionFindings,
  withRefusal
} from '../../src/plan/version-findings.js'
import { containing } from '../kubernetes/containing.js'

const record = (karpenterVersion: string, more: Partial<InstallRecord> = {}): InstallRecord => ({
  schema: 1,
  karpenterVersion,
  kubernetesVersion: '1.35',
  run: 'run',
  time: '2026-11-24T10:00:00.000Z',
  resources: {},
  ...more
})

const check = (version: string, kubernetes: string, more: Partial<VersionFindingFacts> = {}) =>
  versionFindings({
    version,
    facts: tableFacts(version),
    installed: version,
    record: undefined,
    kubernetes,
    allowDowngrade: false,
    allowed: [],
    ...more
  })

test('a pair that Karpenter supports is no finding', () => {
  expect(check('1.14.0', '1.35', { record: record('1.14.0') })).toEqual({
    findings: [],
    refusal: undefined
  })
  expect(check('1.99.0', '1.39')).toEqual({ findings: [], refusal: undefined })
})

test('a cluster that somebody upgraded past Karpenter is unhealthy, with the version to take, and pending', () => {
  const { findings } = check('1.12.2', '1.36', { record: record('1.12.2') })
  expect(findings).toEqual([
    expect.objectContaining({
      kind: 'unhealthy',
      id: 'version-pair',
      title: 'Karpenter 1.12.2',
      severity: 'cosmetic',
      wanted: '1.26 to 1.35',
      live: '1.36',
      reason: `does not support Kubernetes 1.36 (it is for 1.26 to 1.35): its controller logs one error and goes on. Pass \`karpenter-version\` as one of ${newestTested}, ${testedPatchOf('1.14') ?? ''}, ${testedPatchOf('1.13') ?? ''}, which support Kubernetes 1.36.`
    }),
    expect.objectContaining({
      kind: 'pending',
      id: 'kubernetes-version',
      recorded: '1.35',
      live: '1.36',
      reason: 'is 1.36, and was 1.35 at the install on 2026-11-24T10:00:00.000Z'
    })
  ])
})

test('up to 1.1 such a pair breaks scaling', () => {
  const { findings } = check('1.1.10', '1.32')
  expect(findings).toEqual([
    expect.objectContaining({
      kind: 'unhealthy',
      severity: 'breaks scaling',
      reason: containing('its controller ends in a panic at its start')
    })
  ])
})

test('a version that is asked for and supports the cluster is what install would change it to', () => {
  const { findings, refusal } = check('1.15.2', '1.36', { installed: '1.12.2' })
  expect(refusal).toBeUndefined()
  expect(findings).toEqual([
    expect.objectContaining({
      kind: 'unhealthy',
      title: 'Karpenter 1.12.2',
      reason: containing('Karpenter 1.15.2 supports it.'),
      install: 'change it to 1.15.2'
    })
  ])
})

test('a downgrade that install refuses is said, and what install would do of all the rest', () => {
  const { findings, refusal } = check('1.14.3', '1.35', { installed: '1.15.2' })
  expect(findings).toEqual([
    expect.objectContaining({
      kind: 'pending',
      id: 'karpenter-version',
      reason: '1.14.3 is older than 1.15.2 (Karpenter 1.15.2 runs)',
      install: 'refuse it. Pass `karpenter-version: 1.15.2` to keep it, or `allow-downgrade: true`.'
    })
  ])
  const [finding] = findings
  if (finding === undefined) throw new Error('there is none')
  expect(withRefusal({ ...finding, install: 'change it to 1.14.3' }, refusal).install).toBe(
    'refuse: karpenter-version: 1.14.3 is older than 1.15.2'
  )
  expect(withRefusal({ ...finding, kind: 'unknown', install: 'end' }, refusal).install).toBe('end')
  expect(withRefusal(finding, undefined)).toBe(finding)
  const allowed = check('1.14.3', '1.35', { installed: '1.15.2', allowDowngrade: true })
  expect(allowed).toEqual({ findings: [], refusal: undefined })
})

test('what preflight-allow lets pass fails no check', () => {
  expect(check('1.12.2', '1.36', { allowed: ['version-pair'] }).findings).toEqual([])
  expect(check('2.0.0', '1.30', { allowed: ['next-major'] }).findings).toEqual([])
  expect(check('2.0.0', '1.30').findings).toEqual([
    expect.objectContaining({ kind: 'pending', reason: containing('another major version') })
  ])
})

test('of a version that runs and is not the wanted one the record knows the range', () => {
  const recorded = record('1.99.0', { facts: { version: '1.99.0', kubernetes: { least: 26, most: 34 } } })
  const { findings } = check('1.100.0', '1.35', { installed: '1.99.0', record: recorded })
  expect(findings.map(({ title }) => title)).toEqual(['Karpenter 1.99.0'])
})

test('a record of an older release says nothing of Kubernetes', () => {
  const older: InstallRecord = { schema: 1, karpenterVersion: '1.14.0', run: '', time: '', resources: {} }
  expect(clusterMoved(older, '1.36')).toBe(false)
  expect(clusterMoved(undefined, '1.36')).toBe(false)
  expect(clusterMoved(record('1.14.0'), '1.36')).toBe(true)
})
