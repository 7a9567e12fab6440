import { unknownValues } from '../helm/values.js'
import type { Facts } from './facts.js'
import type { Concern } from './finding.js'

/** The chart has no schema: helm takes anything and says nothing. */
export function chartValues({
  helmValues,
  chart,
  version
}: Pick<Facts, 'helmValues' | 'chart' | 'version'>): readonly Concern[] {
  return unknownValues(helmValues, chart.values).map(({ path, problem }) => ({
    level: 'error',
    subject: 'helm-values',
    problem: `${path}: ${problem}`,
    evidence: `the values of chart ${version}`,
    fix: 'Correct helm-values (or helm-values-file) and run again.'
  }))
}
