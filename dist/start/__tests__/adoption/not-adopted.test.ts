import { termsOf } from '../../src/adoption/terms.js'
import { keepsNames, notAdopted } from '../../src/adoption/not-adopted.js'
import { factsOf } from './found.js'
import { inputsOf } from '../given-inputs.js'

const facts = factsOf({})
const standing = { installation: facts.installation, terms: termsOf(facts) }

describe('an installation that somebody else made', () => {
  it('is refused with what was found, until it is asked for', () => {
    const [finding] = notAdopted(standing, false)
    expect(finding).toMatchObject({ level: 'error', subject: 'adopt' })
    expect(finding?.evidence).toContain('helm release kube-system/karpenter revision 3')
    expect(finding?.evidence).toContain('CloudFormation stack Karpenter-blue')
    expect(finding?.fix).toContain('`mode: check` first')
    expect(notAdopted(standing, true)).toEqual([])
  })

  it('is refused with each reason, asked for or not, when it cannot be taken over', () => {
    const theirs = factsOf({ identity: undefined })
    const others = { installation: theirs.installation, terms: termsOf(theirs) }
    for (const asked of [true, false]) {
      const findings = notAdopted(others, asked)
      expect(findings.map(({ problem }) => problem)).toEqual(['has no IAM role of its own'])
    }
  })

  it('keeps its names once it was taken over', () => {
    if (standing.terms.kind !== 'compatible') throw new Error('not compatible')
    const { adoption } = standing.terms.adopted
    const asked = inputsOf({ 'cluster-name': 'blue', namespace: 'other' })
    const [finding] = keepsNames(asked, adoption)
    expect(finding).toMatchObject({ subject: 'namespace', level: 'error' })
    expect(keepsNames(inputsOf({ 'cluster-name': 'blue' }), adoption)).toEqual([])
  })
})
