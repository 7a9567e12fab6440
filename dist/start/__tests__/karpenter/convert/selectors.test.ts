import { convertAmiSelector, convertSelector } from '../../../src/karpenter/convert/selectors.js'

const heard = (): { warn: (text: string) => void; problem: (text: string) => void; all: string[] } => {
  const all: string[] = []
  return { all, warn: (text) => void all.push(text), problem: (text) => void all.push(text) }
}

describe('convertSelector', () => {
  it.each([
    [{ 'aws-ids': 'subnet-1, subnet-2' }, [{ id: 'subnet-1' }, { id: 'subnet-2' }]],
    [{ 'aws::ids': 'subnet-1' }, [{ id: 'subnet-1' }]],
    [{ team: '*' }, [{ tags: { team: '*' } }]],
    [
      { Name: 'a,b', env: 'x,y' },
      [
        { tags: { Name: 'a', env: 'x' } },
        { tags: { Name: 'a', env: 'y' } },
        { tags: { Name: 'b', env: 'x' } },
        { tags: { Name: 'b', env: 'y' } }
      ]
    ]
  ])('reads %j', (selector, terms) => {
    const findings = heard()
    expect(convertSelector('spec.subnetSelector', selector, findings)).toEqual(terms)
    expect(findings.all).toEqual([])
  })

  it('warns when ids and tags are mixed, which v1 has no term for', () => {
    const findings = heard()
    expect(convertSelector('s', { 'aws-ids': 'subnet-1', team: 'a' }, findings)).toEqual([{ id: 'subnet-1' }])
    expect(findings.all).toEqual([expect.stringContaining('team is left out')])
  })

  it('refuses more terms than v1 takes', () => {
    const findings = heard()
    convertSelector('s', { a: '1,2,3,4,5,6', b: '1,2,3,4,5,6' }, findings)
    expect(findings.all).toEqual([expect.stringContaining('36 terms')])
  })
})

describe('convertAmiSelector', () => {
  it('crosses names, owners and tags', () => {
    expect(
      convertAmiSelector({ 'aws::name': 'n', 'aws::owners': 'self,amazon', team: 'a' }, heard())
    ).toEqual([
      { tags: { team: 'a' }, name: 'n', owner: 'self' },
      { tags: { team: 'a' }, name: 'n', owner: 'amazon' }
    ])
  })

  it('refuses an owner alone', () => {
    const findings = heard()
    convertAmiSelector({ 'aws::owners': 'self' }, findings)
    expect(findings.all).toEqual([expect.stringContaining('aws::owners alone')])
  })
})
