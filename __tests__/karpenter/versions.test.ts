import { chooseVersion, kubernetesMinor, supports, versionsFor } from '../../src/karpenter/versions.js'
import { UserError } from '../../src/engine/errors.js'

const refusal = (facts: Parameters<typeof chooseVersion>[0]): UserError => {
  try {
    chooseVersion(facts)
  } catch (error) {
    if (error instanceof UserError) return error
  }
  throw new Error('nothing was refused')
}

describe('the compatibility table', () => {
  it.each([
    ['1.0.0', 25, 30],
    ['1.0.4', 25, 30],
    ['1.0.5', 25, 31],
    ['1.1.1', 25, 31],
    ['1.2.1', 25, 32],
    ['1.4.0', 25, 32],
    ['1.5.0', 26, 33],
    ['1.6.2', 26, 34],
    ['1.8.6', 26, 34],
    ['1.9.0', 26, 35],
    ['1.12.0', 26, 35],
    ['1.13.0', 26, 36],
    ['1.14.1', 26, 36]
  ])('has Karpenter %s for Kubernetes 1.%i to 1.%i', (version, least, most) => {
    expect(supports(version, `1.${least}`)).toBe(true)
    expect(supports(version, `1.${most}`)).toBe(true)
    expect(supports(version, `1.${least - 1}`)).toBe(false)
    expect(supports(version, `1.${most + 1}`)).toBe(false)
  })

  it('does not know versions outside of it', () => {
    expect(supports('0.37.0', '1.30')).toBe(false)
    expect(supports('2.0.0', '1.35')).toBe(false)
  })

  it('lists what a Kubernetes can have, newest first and one a minor', () => {
    expect(versionsFor('1.36')).toEqual(['1.14.1', '1.13.1'])
    expect(versionsFor('1.32').at(-1)).toBe('1.2.1')
    expect(versionsFor('1.24')).toEqual([])
  })

  it('reads the minor of what EKS and the API server say', () => {
    expect([kubernetesMinor('1.32'), kubernetesMinor('1.35+')]).toEqual([32, 35])
  })
})

describe('chooseVersion', () => {
  it('takes the version asked for before the installed one', () => {
    expect(chooseVersion({ requested: '1.14.0', installed: '1.9.0', kubernetes: '1.35' })).toEqual({
      version: '1.14.0',
      reason: 'asked for'
    })
  })

  it('takes the installed version before the newest', () => {
    expect(chooseVersion({ requested: undefined, installed: '1.9.0', kubernetes: '1.34' })).toMatchObject({
      version: '1.9.0',
      reason: 'installed'
    })
  })

  it('takes the newest that supports the cluster when nothing says otherwise', () => {
    expect(chooseVersion({ requested: undefined, installed: undefined, kubernetes: '1.25' })).toMatchObject({
      version: '1.4.0',
      reason: 'newest that supports Kubernetes 1.25'
    })
  })

  it('leaves to preflight whether the cluster suits it', () => {
    expect(chooseVersion({ requested: '1.2.1', installed: undefined, kubernetes: '1.33' }).version).toBe(
      '1.2.1'
    )
    expect(chooseVersion({ requested: undefined, installed: '1.2.1', kubernetes: '1.33' })).toEqual({
      version: '1.2.1',
      reason: 'installed'
    })
  })

  it.each(['0.37.0', '1.99.0', '1.14.0-rc.1'])('refuses %s, which it does not know', (requested) => {
    expect(refusal({ requested, installed: undefined, kubernetes: '1.35' }).message).toBe(
      `karpenter-version: ${requested} (asked for) is not among the versions that this action knows, 1.0.0 to 1.14.1`
    )
  })

  it('refuses a Kubernetes that no version supports', () => {
    const error = refusal({ requested: undefined, installed: undefined, kubernetes: '1.99' })
    expect(error.message).toContain('no Karpenter version that this action knows supports Kubernetes 1.99')
  })
})
