import type { Counts } from './stage.js'

/**
 * Counts of a jest run from the text of its `--json --outputFile` file (undefined: there is none) and its exit code.
 * A test file that could not run, a run without any test and a non-zero exit with no failed test are failures too.
 */
export function jestCounts(text: string | undefined, exitCode: number): Counts {
  const result = text === undefined ? {} : mapOf(JSON.parse(text))
  const passed = numberOf(result['numPassedTests'])
  const skipped = numberOf(result['numPendingTests']) + numberOf(result['numTodoTests'])
  const failed = numberOf(result['numFailedTests']) + numberOf(result['numRuntimeErrorTestSuites'])
  const unexplained = failed === 0 && (exitCode !== 0 || passed === 0)
  return { passed, failed: unexplained ? 1 : failed, skipped }
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
