import { asGiven, isAnsweredFor } from '../../src/karpenter/template-as-read.js'

const given = 'Description: für Knoten 🚀 in Zürich\nResources: {}\n'

describe('A template with characters beyond ASCII', () => {
  it.each([
    ['one for each character', 'Description: f?r Knoten ? in Z?rich\nResources: {}\n'],
    ['two for one beyond the basic plane', 'Description: f?r Knoten ?? in Z?rich\nResources: {}\n'],
    ['none at all, should that be mended', given]
  ])('is known again by what CloudFormation answers: %s', (_how, read) => {
    expect(isAnsweredFor(given, read)).toBe(true)
    expect(asGiven(read, [undefined, 'another', given])).toBe(given)
  })

  it('is not taken for one that differs, which is kept as it was read', () => {
    const read = 'Description: f?r Pods ? in Z?rich\nResources: {}\n'
    expect(isAnsweredFor(given, read)).toBe(false)
    expect(asGiven(read, [given])).toBe(read)
  })
})
