import { jestCounts } from '../../scripts/ci/jest-counts.js'
import { countsText, oneCheck, sum } from '../../scripts/ci/stage.js'

const run = (counts: Readonly<Record<string, number>>): string =>
  JSON.stringify({
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    numRuntimeErrorTestSuites: 0,
    ...counts
  })

describe('counts of a jest run', () => {
  it('are its tests', () => {
    expect(jestCounts(run({ numPassedTests: 7, numFailedTests: 2, numPendingTests: 1 }), 1)).toEqual({
      passed: 7,
      failed: 2,
      skipped: 1
    })
  })

  it('hold a file that could not run as a failure', () => {
    expect(jestCounts(run({ numPassedTests: 7, numRuntimeErrorTestSuites: 1 }), 1).failed).toBe(1)
  })

  it.each([
    ['no file was written', undefined, 1],
    ['no test ran', run({}), 0],
    ['jest failed and no test did', run({ numPassedTests: 7 }), 1]
  ])('hold a failure when %s', (_case, text, exitCode) => {
    expect(jestCounts(text, exitCode).failed).toBe(1)
  })
})

describe('counts of all stages', () => {
  it('are summed into one plain line', () => {
    expect(countsText(sum([oneCheck(0), oneCheck(2), { passed: 40, failed: 0, skipped: 0 }]))).toBe(
      '41 passed, 1 failed'
    )
  })

  it('say what was skipped', () => {
    expect(countsText({ passed: 1, failed: 0, skipped: 3 })).toBe('1 passed, 0 failed, 3 skipped')
  })
})
