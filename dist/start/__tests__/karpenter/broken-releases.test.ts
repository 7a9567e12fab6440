import semver from 'semver'
import { brokenReleases, discouragedReleases } from '../../src/karpenter/broken-releases.js'
import { testedPatches } from '../../src/karpenter/releases.js'
import { isSound } from '../../src/karpenter/tested-versions.js'

const bad = Object.entries({ ...brokenReleases, ...discouragedReleases })

describe('bad releases', () => {
  it.each(['1.3.0', '1.7.0', '1.8.0', '1.8.4', '1.10.0', '1.11.0', '1.11.1'])('%s is one', (version) => {
    expect(isSound(version)).toBe(false)
  })

  it.each(bad)(
    'in place of %s comes a newer patch of its minor that was tested and is good',
    (version, { take }) => {
      expect(testedPatches).toContain(take)
      expect(semver.gt(take, version) && semver.minor(take) === semver.minor(version)).toBe(true)
      expect(isSound(take)).toBe(true)
    }
  )

  it('are none of the tested patches, of which the proposals are made', () => {
    expect(testedPatches.filter((version) => !isSound(version))).toEqual([])
  })
})
