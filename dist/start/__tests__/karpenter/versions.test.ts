import {
  baseOf,
  compareVersions,
  inSpan,
  isBefore,
  kubernetesMinor,
  minorOf,
  newerBefore
} from '../../src/karpenter/versions.js'

describe('versions', () => {
  it.each([
    ['1.14.1', '1.14.1', '1.14'],
    ['v1.14.1', '1.14.1', '1.14'],
    ['1.14.1-rc.0', '1.14.1', '1.14'],
    ['2.0.0-beta.1', '2.0.0', '2.0'],
    ['latest', '0.0.0', '0.0']
  ])('%s is by its base %s, of minor %s', (version, base, minor) => {
    expect([baseOf(version), minorOf(version)]).toEqual([base, minor])
  })

  it('has a pre-release in the span of its release', () => {
    expect(inSpan('1.12.0-rc.0', { from: '1.12.0' })).toBe(true)
    expect(inSpan('1.12.0-rc.0', { before: '1.12.0' })).toBe(false)
    expect(isBefore('1.1.0-rc.0', '1.1.0')).toBe(false)
    expect(isBefore('1.0.14', '1.1.0-rc.0')).toBe(true)
  })

  it('orders a pre-release before its release all the same', () => {
    const ascending = ['nothing', '1.9.3', '1.14.1-rc.0', '1.14.1-rc.1', 'v1.14.1', '1.14.3']
    expect(ascending.toReversed().toSorted(compareVersions)).toEqual(ascending)
  })

  it('reads the minor of what EKS and the API server say', () => {
    expect([kubernetesMinor('1.32'), kubernetesMinor('1.35+')]).toEqual([32, 35])
  })

  it.each([
    ['1.14.1-rc.0', '1.14.1-rc.0', undefined, undefined],
    ['1.14.1', '1.14.1-rc.0', '1.14.1-rc.0', undefined],
    ['1.14.1-rc.0', '1.14.1', undefined, { version: '1.14.1', says: 'runs' }],
    ['1.14.1', 'v1.15.2', '1.99.0', { version: '1.99.0', says: 'is recorded' }],
    ['1.14.1', 'latest', undefined, undefined]
  ] as const)('%s after %s with %s recorded follows as newer: %j', (version, installed, recorded, newer) => {
    expect(newerBefore(version, { installed, recorded })).toEqual(newer)
  })
})
