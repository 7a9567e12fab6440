import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reportPath } from '../../src/report/report.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'report-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const report = { mode: 'install' as const, cluster: { name: 'blue', region: 'eu-west-1' } }

it('is another for each mode and attempt, and for a step that does the same as one before it', () => {
  const first = reportPath(folder, report, '2')
  expect(first).toBe(join(folder, 'setup-karpenter-blue-install-2.json'))
  expect(reportPath(folder, { ...report, mode: 'smoke-test' }, '2')).toContain('blue-smoke-test-2.json')
  writeFileSync(first, '')
  expect(reportPath(folder, report, '2')).toBe(join(folder, 'setup-karpenter-blue-install-2.step-2.json'))
})
