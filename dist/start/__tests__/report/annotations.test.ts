import type { Finding } from '../../src/engine/findings.js'
import { annotate } from '../../src/report/annotations.js'
import { finding } from './finding.js'

function annotations(findings: readonly Finding[], used = 0): readonly string[] {
  const lines: string[] = []
  const out = {
    error: (line: string) => void lines.push(`error ${line}`),
    warning: (line: string) => void lines.push(`warning ${line}`)
  }
  annotate(findings, { failOn: ['drift', 'unknown'] }, out, used)
  return lines
}

describe('annotate', () => {
  it('names resource, field, values, who did it, and what install would do', () => {
    expect(annotations([finding])).toEqual([
      'error drift: NodePool default: spec.limits.cpu is "4", not "1000" (by kubectl-edit, Update, 2026-11-24T10:00:00Z); install would change it back to 1000'
    ])
  })

  it('warns of what is cosmetic or does not fail the check', () => {
    expect(annotations([{ ...finding, severity: 'cosmetic' }])[0]).toMatch(/^warning /)
    expect(annotations([{ ...finding, kind: 'pending' }])[0]).toMatch(/^warning /)
  })

  it('leaves one of the ten for the error of the run, and says how many findings it left out', () => {
    const lines = annotations(Array.from({ length: 40 }, () => finding))
    expect(lines).toHaveLength(9)
    expect(lines.at(-1)).toContain('32 more findings')
    expect(annotations([finding, finding], 8)).toEqual([expect.stringContaining('2 more findings')])
    expect(annotations([finding], 9)).toEqual([])
  })

  it('puts the gravest first', () => {
    const weak: Finding = { ...finding, title: 'Role', severity: 'weakens security' }
    const first = annotations([{ ...finding, severity: 'cosmetic' }, weak, finding])
    expect(first.map((line) => line.split(': ')[1])).toEqual(['NodePool default', 'Role', 'NodePool default'])
  })
})
