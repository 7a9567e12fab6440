import { releases, testedPatches } from '../../src/karpenter/releases.js'
import {
  gradeOf,
  isNextMajor,
  isOlderApi,
  isSound,
  longTermMinors,
  newestTested,
  rowOf,
  supports,
  testedKubernetes,
  testedPatchOf,
  testedVersions,
  versionsFor
} from '../../src/karpenter/tested-versions.js'

describe('the table', () => {
  it.each([
    ['1.0.0', 25, 30],
    ['1.0.4', 25, 30],
    ['1.0.5', 25, 31],
    ['1.1.1', 25, 31],
    ['1.2.1', 25, 32],
    ['1.4.0', 25, 32],
    ['1.5.0', 26, 33],
    ['1.6.5', 26, 33],
    ['1.6.6', 26, 34],
    ['1.7.3', 26, 33],
    ['1.7.4', 26, 34],
    ['1.8.6', 26, 34],
    ['1.9.0', 26, 35],
    ['1.13.0-rc.0', 26, 36],
    ['1.14.9', 26, 36],
    ['1.15.2', 26, 37]
  ])('has Karpenter %s for Kubernetes 1.%i to 1.%i', (version, least, most) => {
    expect(supports(version, `1.${least}`)).toBe(true)
    expect(supports(version, `1.${most}`)).toBe(true)
    expect(supports(version, `1.${least - 1}`)).toBe(false)
    expect(supports(version, `1.${most + 1}`)).toBe(false)
  })

  it.each([
    ['1.0.14', 'v3'],
    ['1.1.0', 'v4'],
    ['1.11.3', 'v4'],
    ['1.12.0-rc.1', 'v5'],
    ['1.15.0', 'v6']
  ])('has the hash of an EC2NodeClass in %s as %s', (version, hash) => {
    expect(rowOf(version).nodeClassHash).toBe(hash)
  })

  it('is ascending, and every tested patch has a row', () => {
    expect(testedVersions.toReversed()).toEqual(testedPatches)
    expect(releases[0]?.from).toBe('1.0.0')
    expect(testedPatches.filter((version) => !isSound(version))).toEqual([])
  })

  it('lists what a Kubernetes can have, newest first and one a minor', () => {
    const newest = testedPatches.at(-1)
    expect(newestTested).toBe(newest)
    expect(versionsFor('1.36')).toEqual([testedPatchOf('1.15'), testedPatchOf('1.14'), testedPatchOf('1.13')])
    expect(versionsFor('1.32').at(-1)).toBe(testedPatchOf('1.2'))
    expect(versionsFor(`1.${testedKubernetes.least - 1}`)).toEqual([])
    expect(versionsFor(`1.${testedKubernetes.most + 1}`)).toEqual([])
  })

  it('has the long-term minors among its own', () => {
    expect(longTermMinors.map(testedPatchOf)).not.toContain(undefined)
    expect(longTermMinors.at(-1)).toBe('1.9')
  })
})

describe('gradeOf', () => {
  it.each([
    ['1.14.0', 'tested'],
    ['1.14.1-rc.0', 'tested'],
    ['1.0.0', 'tested'],
    ['1.14.99', 'newer patch'],
    ['1.14.99-rc.0', 'newer patch'],
    ['1.99.0', 'untested'],
    ['1.99.0-rc.1', 'untested'],
    ['2.0.0', 'untested'],
    ['0.37.0', 'untested']
  ])('has %s as %s', (version, grade) => {
    expect(gradeOf(version)).toBe(grade)
  })

  it('has every tested patch as tested', () => {
    expect(testedPatches.filter((version) => gradeOf(version) !== 'tested')).toEqual([])
  })

  it('tells older and next majors by their base', () => {
    expect([isOlderApi('0.37.0'), isOlderApi('1.0.0-rc.1')]).toEqual([true, false])
    expect([isNextMajor('1.99.0'), isNextMajor('2.0.0-alpha.1')]).toEqual([false, true])
  })
})
