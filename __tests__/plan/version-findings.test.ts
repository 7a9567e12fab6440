import type { InstallRecord } from '../../src/engine/record.js'
import { brokenReleases } from '../../src/karpenter/broken-releases.js'
import { newestTested, testedPatchOf } from '../../src/karpenter/tested-versions.js'
import { type KubernetesRange, tableFacts } from '../../src/karpenter/version-facts.js'
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
    {
      kind: 'unhealthy',
      id: 'version-pair',
      title: 'Karpenter 1.12.2',
      layer: 'karpenter',
      path: 'kubernetes',
      severity: 'cosmetic',
      wanted: '1.26 to 1.35',
      recorded: '1.35',
      live: '1.36',
      reason: `does not support Kubernetes 1.36 (it is for 1.26 to 1.35): its controller logs one error and goes on. Pass \`karpenter-version\` as one of ${newestTested}, ${testedPatchOf('1.14') ?? ''}, ${testedPatchOf('1.13') ?? ''}, which support Kubernetes 1.36.`,
      install: 'refuse it, unless preflight-allow has version-pair'
    },
    {
      kind: 'pending',
      id: 'kubernetes-version',
      title: 'Kubernetes',
      layer: 'kubernetes',
      path: 'version',
      severity: 'cosmetic',
      wanted: '1.36',
      recorded: '1.35',
      live: '1.36',
      reason: 'is 1.36, and was 1.35 at the install on 2026-11-24T10:00:00.000Z',
      install: 'record it, and prove again that nodes come and go'
    }
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

test('one that is asked for and does not support it either is no way out', () => {
  const [running, asked] = check('1.12.2', '1.36', { installed: '1.11.1' }).findings
  expect(running?.reason).toContain('Pass `karpenter-version` as one of')
  expect(running?.install).toBe('refuse it, unless preflight-allow has version-pair')
  expect(asked?.reason).toContain('1.12.2 does not support Kubernetes 1.36')
})

test('of a version that does not run the pair is only what an install would refuse', () => {
  const { findings } = check('1.12.2', '1.36', { installed: undefined })
  expect(findings.map(({ kind, id }) => [kind, id])).toEqual([['pending', 'karpenter-version']])
})

test('a broken release that runs is said, though the pair is right', () => {
  expect(check('1.8.0', '1.31').findings).toEqual([
    {
      kind: 'pending',
      id: 'karpenter-version',
      title: 'karpenter-version',
      layer: 'karpenter',
      path: '',
      severity: 'cosmetic',
      wanted: '1.8.0',
      recorded: undefined,
      live: '1.8.0',
      reason: `1.8.0 is broken: ${brokenReleases['1.8.0']?.flaw ?? ''}`,
      install: `refuse it. Pass \`karpenter-version: ${brokenReleases['1.8.0']?.take ?? ''}\`.`
    }
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

/** What the record of an install knows of this version. */
const recorded = (version: string, kubernetes?: KubernetesRange): InstallRecord =>
  record(version, { facts: { version, ...(kubernetes !== undefined && { kubernetes }) } })
const until34 = { least: 26, most: 34 }

test.each<[string, string, InstallRecord | undefined, string, readonly string[]]>([
  ['the record, where the table does not', '1.99.0', recorded('1.99.0', until34), '1.35', ['1.99.0']],
  ['the table, where it does', '1.12.2', recorded('1.12.2', { least: 26, most: 40 }), '1.36', ['1.12.2']],
  ['no record of another version', '1.99.0', recorded('1.98.0', until34), '1.35', []],
  ['no record that does not say', '1.99.0', recorded('1.99.0'), '1.35', []],
  ['nothing', '1.99.0', undefined, '1.35', []]
])(
  'of a version that runs and is not the wanted one the range is known by %s',
  (_what, installed, of, kubernetes, unhealthy) => {
    const { findings } = check('1.100.0', kubernetes, { installed, record: of })
    const running = findings.filter(({ kind }) => kind === 'unhealthy')
    expect(running.map(({ title }) => title)).toEqual(unhealthy.map((version) => `Karpenter ${version}`))
  }
)

test('of a version that runs and is the wanted one it is known by what is known of that now', () => {
  const facts = tableFacts('1.99.0')
  const kubernetes = { ...facts.kubernetes, value: until34 }
  const [finding] = check('1.99.0', '1.35', { facts: { ...facts, kubernetes } }).findings
  expect(finding).toMatchObject({ kind: 'unhealthy', title: 'Karpenter 1.99.0', wanted: '1.26 to 1.34' })
})

test('a record of an older release says nothing of Kubernetes', () => {
  const older: InstallRecord = { schema: 1, karpenterVersion: '1.14.0', run: '', time: '', resources: {} }
  expect(clusterMoved(older, '1.36')).toBe(false)
  expect(clusterMoved(undefined, '1.36')).toBe(false)
  expect(clusterMoved(record('1.14.0'), '1.36')).toBe(true)
})
