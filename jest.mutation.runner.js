import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import TestRunner from 'jest-runner'

/**
 * Stryker runs each mutant with all the files of its part, and lets names alone pick their tests. This runner opens only
 * files that have such a test, the quickest first, and ends at the first file that sees the mutant. What is in a file
 * it knows from the run without a mutant.
 */
export default class FirstToSee extends TestRunner {
  async runTests(tests, watcher, options) {
    const { rootDir, testNamePattern } = this._globalConfig
    const known = join(rootDir, 'tests-by-file.json')
    const files = existsSync(known) ? JSON.parse(readFileSync(known, 'utf8')) : undefined
    let failed = false
    const seen = {}
    const offs = [
      this.on('test-file-success', ([{ path }, { testResults, perfStats }]) => {
        failed ||= testResults.some(({ status }) => status === 'failed')
        seen[path] = { names: testResults.map(({ fullName }) => fullName), took: perfStats.runtime }
      }),
      this.on('test-file-failure', () => {
        failed = true
      })
    ]
    const pattern = new RegExp(testNamePattern ?? '', 'i')
    const meant = tests
      .filter(({ path }) => files?.[path]?.names.some((name) => pattern.test(name)) ?? true)
      .toSorted((one, other) => (files?.[one.path]?.took ?? 0) - (files?.[other.path]?.took ?? 0))
    for (const test of meant) {
      await super.runTests([test], watcher, options)
      if (failed && files !== undefined) break
    }
    for (const off of offs) off()
    if (files === undefined) writeFileSync(known, JSON.stringify(seen))
  }
}
