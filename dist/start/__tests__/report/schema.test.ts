import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { reportSchemaText } from '../../scripts/report-schema.js'
import { Graph } from '../../src/engine/graph.js'
import type { ClusterMode } from '../../src/inputs/inputs.js'
import { Ledger } from '../../src/report/ledger.js'
import type { Report } from '../../src/report/report.js'
import { finding } from './finding.js'

const text = readFileSync('docs/report.schema.json', 'utf8')
const validate = new Ajv2020().compile(JSON.parse(text))

function reportOf(mode: ClusterMode, fill: (ledger: Ledger) => void): unknown {
  const ledger = new Ledger(mode, 'local', { name: 'blue', region: 'eu-west-1' }, 0)
  fill(ledger)
  const report: Report = ledger.report({
    result: 'succeeded',
    at: 1000,
    requests: { total: 1, writes: 0, repeated: [], byService: { iam: 1 } },
    warnings: []
  })
  return JSON.parse(JSON.stringify(report))
}

describe('docs/report.schema.json', () => {
  it('is what the type of the report comes to; `npm run docs` renews it', () => {
    expect(reportSchemaText()).toBe(text)
  })

  it('takes the reports of every mode', () => {
    const reports = [
      reportOf('install', () => undefined),
      reportOf('check', (ledger) => ledger.findings([finding])),
      // What is missing has no live value, and JSON leaves out what is undefined.
      reportOf('check', (ledger) => ledger.findings([{ ...finding, recorded: undefined, live: undefined }])),
      reportOf('uninstall', (ledger) =>
        ledger.removal(new Graph([]), [], {
          removed: [{ id: 'stack', title: 'CloudFormation stack Karpenter-blue' }],
          kept: [{ id: 'crds', title: 'CRDs', reason: 'CRDs stay unless their removal is asked for' }],
          leftovers: [{ kind: 'iam', name: 'Controller role', reason: 'not tried' }],
          proof: [{ what: 'Controller role', found: ['Controller role'] }],
          lagging: []
        })
      )
    ]
    expect(reports.map((report) => [validate(report), validate.errors])).toEqual(
      reports.map(() => [true, null])
    )
  })

  it('refuses a report whose findings are of no known kind', () => {
    const report = reportOf('check', (ledger) => ledger.findings([finding]))
    const spoilt: unknown = JSON.parse(JSON.stringify(report).replace('"drift","id"', '"odd","id"'))
    expect(validate(spoilt)).toBe(false)
  })
})
