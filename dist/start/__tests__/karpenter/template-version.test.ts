import { newestTested, testedPatchOf } from '../../src/karpenter/tested-versions.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { parseTemplate } from '../../src/karpenter/template-syntax.js'
import { templateVersionFor, templateVersionOf } from '../../src/karpenter/template-version.js'

function logicalIds(version: string): readonly string[] {
  return parseTemplate(builtInTemplateText(version)).resources.map(({ logicalId }) => logicalId)
}

test.each([
  ['1.2.1', testedPatchOf('1.8')],
  ['1.9.0', '1.9.3'],
  ['1.11.0', testedPatchOf('1.11')],
  ['1.14.0', newestTested]
])('resources of the template of %s are told to be those of %s, the newest with the same', (of, told) => {
  expect(templateVersionOf(logicalIds(of))).toBe(told)
})

test('a template with more, or with less, is of no version', () => {
  expect(templateVersionOf([...logicalIds('1.14.0'), 'Bucket'])).toBeUndefined()
  expect(templateVersionOf(logicalIds('1.14.0').slice(1))).toBeUndefined()
  expect(templateVersionOf([])).toBeUndefined()
})

test.each([
  ['an older Karpenter keeps the newer template that the stack has', '1.2.1', '1.14.1', '1.14.1'],
  ['with the same resources it has its own', '1.14.0', '1.14.1', '1.14.0'],
  ['also where the template went by the newest of many', '1.2.1', '1.8.6', '1.2.1'],
  ['a newer Karpenter has its own', '1.14.0', '1.8.6', '1.14.0'],
  ['a stack of no version gets that of its Karpenter', '1.2.1', undefined, '1.2.1']
])('%s', (_what, version, stands, taken) => {
  expect(templateVersionFor(version, stands)).toBe(taken)
})
