import { chooseControllerIdentity, chooseNodeAccess, type IdentityFacts } from '../../src/aws/choices.js'
import { UserError } from '../../src/engine/errors.js'

describe('Node access', () => {
  it.each([
    ['auto', 'API', 'access-entry'],
    ['auto', 'API_AND_CONFIG_MAP', 'access-entry'],
    ['auto', 'CONFIG_MAP', 'aws-auth'],
    ['aws-auth', 'API_AND_CONFIG_MAP', 'aws-auth']
  ] as const)('%s with authentication mode %s is %s', (choice, mode, strategy) => {
    const taken = chooseNodeAccess(choice, mode)
    expect(taken.strategy).toBe(strategy)
    expect(taken.reason).toMatch(/\w/)
  })

  it.each([
    ['access-entry', 'CONFIG_MAP'],
    ['aws-auth', 'API']
  ] as const)('%s is refused with authentication mode %s', (choice, mode) => {
    expect(() => chooseNodeAccess(choice, mode)).toThrow(UserError)
    expect(() => chooseNodeAccess(choice, mode)).toThrow(/^node-access: /)
  })
})

describe('Controller identity', () => {
  const nothing: IdentityFacts = {
    podIdentityAgent: false,
    oidcProvider: false,
    fargateOnly: false,
    installed: undefined
  }
  it.each([
    ['a cluster with neither', {}, 'pod-identity'],
    ['an agent', { podIdentityAgent: true, oidcProvider: true }, 'pod-identity'],
    ['an OIDC provider and no agent', { oidcProvider: true }, 'irsa'],
    ['Fargate only', { podIdentityAgent: true, fargateOnly: true }, 'irsa'],
    ['an installed controller with IRSA', { podIdentityAgent: true, installed: 'irsa' }, 'irsa']
  ] as const)('auto with %s is %s', (_with, facts, strategy) => {
    expect(chooseControllerIdentity('auto', { ...nothing, ...facts }).strategy).toBe(strategy)
  })

  it('by the input is taken as given, except Pod Identity on Fargate', () => {
    expect(chooseControllerIdentity('irsa', nothing).strategy).toBe('irsa')
    expect(() => chooseControllerIdentity('pod-identity', { ...nothing, fargateOnly: true })).toThrow(
      /^controller-identity: /
    )
  })
})
