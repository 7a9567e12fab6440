import { adoptedInputs, type Adoption, mismatches, parseAdoption } from '../../src/adoption/adoption.js'
import { termsOf } from '../../src/adoption/terms.js'
import { inputsOf } from '../given-inputs.js'
import { factsOf } from './found.js'

function adoption(): Adoption {
  const terms = termsOf(factsOf({ stack: undefined }))
  if (terms.kind !== 'compatible') throw new Error('not compatible')
  return terms.adopted.adoption
}

describe('what was adopted', () => {
  it('comes back from the record as it was written, and not at all when it is something else', () => {
    expect(parseAdoption(JSON.parse(JSON.stringify(adoption())))).toEqual(adoption())
    expect(parseAdoption({ namespace: 'kube-system' })).toBeUndefined()
    expect(parseAdoption(undefined)).toBeUndefined()
  })

  it('gives later runs its names, and leaves subnets and versions that are asked for', () => {
    const inputs = inputsOf({
      'cluster-name': 'blue',
      'karpenter-version': '1.14.0',
      subnets: 'subnet-7'
    })
    expect(adoptedInputs(inputs, adoption())).toMatchObject({
      namespace: 'kube-system',
      controllerRoleName: 'blue-karpenter',
      controllerIdentity: 'pod-identity',
      nodeAccess: 'aws-auth',
      karpenterVersion: { kind: 'exact', version: '1.14.0' },
      subnets: { kind: 'ids', ids: ['subnet-7'] },
      securityGroups: { kind: 'ids', ids: ['sg-1'] },
      interruptionQueue: { kind: 'named', name: 'blue' }
    })
  })

  it('quarrels with an input only when that was given and says something else', () => {
    const asked = (given: Readonly<Record<string, string>>) =>
      mismatches(inputsOf({ 'cluster-name': 'blue', ...given }), adoption()).map(({ input }) => input)
    expect(asked({})).toEqual([])
    expect(asked({ 'interruption-queue': 'blue', 'controller-identity': 'pod-identity' })).toEqual([])
    expect(asked({ 'interruption-queue': 'none', 'controller-identity': 'irsa' })).toEqual([
      'controller-identity',
      'interruption-queue'
    ])
  })
})
