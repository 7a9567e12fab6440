import { judged, type SeverityRule } from '../../src/engine/severity.js'

const rules: readonly SeverityRule[] = [
  { at: /^spec\.role$/, severity: 'weakens security', effect: 'what nodes may do' },
  { at: /^spec\./, severity: 'breaks scaling', effect: 'whether nodes come' }
]

it.each([
  ['spec.role', { severity: 'weakens security', effect: 'what nodes may do' }],
  ['spec.limits', { severity: 'breaks scaling', effect: 'whether nodes come' }],
  ['metadata.labels', { severity: 'changes behaviour' }]
])('the first rule that speaks of %s counts', (path, judgement) => {
  expect(judged(rules, path)).toStrictEqual(judgement)
})
