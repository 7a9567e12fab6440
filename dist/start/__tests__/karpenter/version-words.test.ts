import { brokenReleases, discouragedReleases } from '../../src/karpenter/broken-releases.js'
import { releases, testedPatches } from '../../src/karpenter/releases.js'
import {
  gradeOf,
  newestTested,
  testedKubernetes,
  testedPatchOf
} from '../../src/karpenter/tested-versions.js'
import { tableFacts, type VersionFacts } from '../../src/karpenter/version-facts.js'
import {
  choiceText,
  isInRange,
  noVersionFix,
  notProvedWarning,
  pairConsequence,
  untestedWarning,
  versionFix
} from '../../src/karpenter/version-words.js'
import { compareVersions, kubernetesMinor, minorOf } from '../../src/karpenter/versions.js'

const newest = minorOf(newestTested)
const read = (origin: 'tag' | 'record'): VersionFacts => ({
  version: '1.96.0',
  kubernetes: { value: { least: 26, most: 38 }, origin },
  nodeClassHash: { value: 'v6', origin },
  template: { value: undefined, origin },
  upgradeNotes: { value: [], origin }
})
const unread: VersionFacts = {
  ...tableFacts('1.96.0'),
  kubernetes: {
    value: { least: 26, most: undefined },
    origin: 'newest row',
    reason: 'template: built-in'
  }
}

describe('the choice line', () => {
  it('says nothing more of a tested version', () => {
    expect(choiceText('asked for', tableFacts('1.14.0'), 'table')).toBe('1.14.0 (asked for)')
    expect(untestedWarning(tableFacts('1.14.0'), 'table')).toBeUndefined()
  })

  it('says that a patch is newer, which is no warning', () => {
    expect(choiceText('asked for', tableFacts('1.14.99'), 'table')).toBe(
      `1.14.99 (asked for; newer than ${testedPatchOf('1.14') ?? ''}, the newest patch of 1.14 that this release was tested with)`
    )
    expect(untestedWarning(tableFacts('1.14.99'), 'table')).toBeUndefined()
  })

  it('says of an untested version where what holds for it was read', () => {
    expect(choiceText('asked for', read('tag'), 'tag')).toBe(
      `1.96.0 (asked for; newer than ${newest}, the newest that this release was tested with; Kubernetes range, statements and hash version read from upstream's v1.96.0)`
    )
    expect(choiceText('installed', read('record'), 'tag')).toBe(
      `1.96.0 (installed; newer than ${newest}, the newest that this release was tested with; statements read from upstream's v1.96.0; Kubernetes range and hash version as recorded by the last install)`
    )
  })

  it('says what is not known, and why', () => {
    expect(choiceText('asked for', unread, 'newest row')).toBe(
      `1.96.0 (asked for; newer than ${newest}, the newest that this release was tested with; statements those of ${newestTested}; the newest Kubernetes that it supports and its hash version not known (template: built-in))`
    )
  })

  it('is a warning of an install in the same words', () => {
    expect(untestedWarning(read('tag'), 'tag')).toBe(
      `karpenter-version: 1.96.0 is newer than ${newest}, the newest that this release was tested with; Kubernetes range, statements and hash version read from upstream's v1.96.0`
    )
    expect(untestedWarning(unread, 'newest row')).toMatch(/and keeps whatever it allows besides$/)
    expect(notProvedWarning('1.96.0')).toMatch(/^smoke-test: .* nothing has proved that it scales/)
  })
})

test('too new a Kubernetes ends 1.1 at its start, and is one line in the log of 1.2', () => {
  expect(pairConsequence('1.1.10')).toContain('panic')
  expect(pairConsequence('1.2.0-rc.0')).toContain('logs one error and goes on')
})

describe('versionFix', () => {
  const versions = [
    ...new Set([
      ...releases.map(({ from }) => from),
      ...testedPatches,
      ...Object.keys(brokenReleases),
      '1.14.1-rc.0',
      '1.14.99',
      '1.96.0',
      '2.0.0'
    ])
  ]
  const kubernetes = Array.from({ length: 30 }, (_, at) => `1.${at + 15}`)
  const befores = [undefined, ...testedPatches, '1.96.0']
  const bad = [...Object.keys(brokenReleases), ...Object.keys(discouragedReleases)]
  /** Whole versions that a text names. */
  const named = (text: string): readonly string[] => text.match(/\b\d+\.\d+\.\d+\b/g) ?? []
  const all = versions.flatMap((version) =>
    [tableFacts(version).kubernetes.value, { least: 27, most: 38 }]
      .slice(0, gradeOf(version) === 'untested' ? 2 : 1)
      .flatMap((range) =>
        kubernetes
          .filter((one) => !isInRange(range, one))
          .flatMap((one) =>
            befores.map((before) => ({
              version,
              range,
              kubernetes: one,
              before,
              fix: versionFix({ version, range, kubernetes: one, before })
            }))
          )
      )
  )

  it('names no broken release, and none that upstream advises against', () => {
    expect(all.length).toBeGreaterThan(1000)
    expect(all.filter(({ fix }) => named(fix).some((one) => bad.includes(one)))).toEqual([])
  })

  it('names no version older than what runs, which an install would refuse', () => {
    const backwards = all.filter(
      ({ fix, before }) => before !== undefined && named(fix).some((one) => compareVersions(one, before) < 0)
    )
    expect(backwards).toEqual([])
  })

  it('names an older version than is asked for only of the table, where the cluster is too old for it', () => {
    const older = all.filter(({ fix, version }) =>
      named(fix).some((one) => compareVersions(one, version) < 0)
    )
    expect(older.length).toBeGreaterThan(0)
    const wrong = older.filter(
      ({ version, range, kubernetes: one }) =>
        gradeOf(version) === 'untested' || kubernetesMinor(one) >= range.least
    )
    expect(wrong).toEqual([])
  })

  it('says to update a cluster only where it is too old', () => {
    const updates = all.filter(({ fix }) => fix.includes('Update the cluster'))
    expect(updates.length).toBeGreaterThan(0)
    expect(updates.filter(({ range, kubernetes: one }) => kubernetesMinor(one) >= range.least)).toEqual([])
  })

  it('proposes only what supports the cluster', () => {
    const wrong = all.filter(({ fix, kubernetes: one }) =>
      named(fix).some((version) => !isInRange(tableFacts(version).kubernetes.value, one))
    )
    expect(wrong).toEqual([])
  })

  it('never leads in a circle', () => {
    const to1 = versionFix({
      version: '1.14.0',
      range: { least: 26, most: 36 },
      kubernetes: '1.37',
      before: undefined
    })
    expect(to1).toBe(`Pass \`karpenter-version: ${newestTested}\`, which supports Kubernetes 1.37.`)
    const beyond = versionFix({
      version: '1.96.0',
      range: { least: 26, most: 38 },
      kubernetes: '1.39',
      before: undefined
    })
    expect(beyond).toBe(
      'Take a newer Karpenter as soon as one supports Kubernetes 1.39: `karpenter-version: latest` takes the newest there is.'
    )
  })

  it('says of no version at all the same: update what is too old, wait for what is too new', () => {
    expect(noVersionFix(`1.${testedKubernetes.least - 1}`)).toContain('Update the cluster')
    expect(noVersionFix(`1.${testedKubernetes.most + 1}`)).not.toContain('Update the cluster')
  })
})
