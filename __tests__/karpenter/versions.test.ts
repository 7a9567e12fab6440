import { chooseVersion, supports, versionsFor } from '../../src/karpenter/versions.js'

describe('chooseVersion', () => {
  it('takes the version that was asked for', () => {
    expect(chooseVersion({ requested: '1.2.1', installed: '1.1.0', kubernetes: '1.32' })).toMatchObject({
      version: '1.2.1',
      reason: 'asked for'
    })
  })

  it('stays with the installed version', () => {
    expect(chooseVersion({ requested: undefined, installed: '1.13.0', kubernetes: '1.35' })).toMatchObject({
      version: '1.13.0',
      reason: 'installed'
    })
  })

  it("takes the newest that supports the cluster's Kubernetes", () => {
    expect(chooseVersion({ requested: undefined, installed: undefined, kubernetes: '1.35' })).toMatchObject({
      version: '1.14.1',
      reason: 'newest that supports Kubernetes 1.35'
    })
  })

  it.each([
    ['1.2.1', '1.33', /1\.2\.1 \(asked for\) does not support Kubernetes 1\.33/],
    ['1.14.0', '1.25', /does not support/],
    ['0.37.0', '1.30', /does not support/],
    ['1.8.0', '1.33', /is broken/]
  ])('refuses %s on Kubernetes %s', (requested, kubernetes, message) => {
    expect(() => chooseVersion({ requested, installed: undefined, kubernetes })).toThrow(message)
  })

  it('warns of a release that upstream advises against', () => {
    expect(
      chooseVersion({ requested: '1.8.4', installed: undefined, kubernetes: '1.33' }).warnings
    ).toHaveLength(1)
  })

  it('knows no version for a Kubernetes outside of the table', () => {
    expect(() => chooseVersion({ requested: undefined, installed: undefined, kubernetes: '1.99' })).toThrow(
      'no Karpenter version'
    )
  })
})

describe('supports', () => {
  it.each([
    ['1.0.4', '1.31', false],
    ['1.0.5', '1.31', true],
    ['1.2.1', '1.32', true],
    ['1.2.1', '1.33', false],
    ['1.14.0', '1.36', true]
  ])('%s on %s: %s', (karpenter, kubernetes, expected) => {
    expect(supports(karpenter, kubernetes)).toBe(expected)
  })

  it('lists what would do, newest first', () => {
    expect(versionsFor('1.25')[0]).toBe('1.4.0')
    expect(versionsFor('1.36')).toEqual(['1.14.1', '1.13.1'])
  })
})
