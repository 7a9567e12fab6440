import { termsOf } from '../../src/adoption/terms.js'
import { keepsNames, notAdopted } from '../../src/preflight/not-adopted.js'
import { factsOf } from '../adoption/found.js'
import { inputsOf } from '../given-inputs.js'

const facts = factsOf({})
const standing = { installation: facts.installation, terms: termsOf(facts) }

describe('an installation that somebody else made', () => {
  it('is refused with what was found, until it is asked for', async () => {
    const [finding] = await notAdopted(standing, false).run()
    expect(finding).toMatchObject({ level: 'error', subject: 'adopt' })
    expect(finding?.evidence).toContain('helm release kube-system/karpenter revision 3')
    expect(finding?.evidence).toContain('CloudFormation stack Karpenter-blue')
    expect(finding?.fix).toContain('`mode: check` first')
    expect(await notAdopted(standing, true).run()).toEqual([])
  })

  it('is refused with each reason, asked for or not, when it cannot be taken over', async () => {
    const theirs = factsOf({ identity: undefined })
    const others = { installation: theirs.installation, terms: termsOf(theirs) }
    for (const asked of [true, false]) {
      const findings = await notAdopted(others, asked).run()
      expect(findings.map(({ problem }) => problem)).toEqual(['has no IAM role of its own'])
    }
  })

  it('keeps its names once it was taken over', async () => {
    if (standing.terms.kind !== 'compatible') throw new Error('not compatible')
    const { adoption } = standing.terms.adopted
    const asked = inputsOf({ 'cluster-name': 'blue', namespace: 'other' })
    const [finding] = await keepsNames(asked, adoption).run()
    expect(finding).toMatchObject({ subject: 'namespace', level: 'error' })
    expect(await keepsNames(inputsOf({ 'cluster-name': 'blue' }), adoption).run()).toEqual([])
  })
})
