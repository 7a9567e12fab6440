import { readFileSync } from 'node:fs'
import { provoked } from '../../e2e/provoked.js'
import { catalogue, type CheckName } from '../../src/preflight/catalogue.js'

const names = Object.keys(catalogue) as CheckName[]

describe('every finding of the catalogue is provoked by an end-to-end test', () => {
  it.each(names)('%s: one test for each of its findings, in their order', (name) => {
    expect(provoked[name].map(([level]) => level)).toEqual(catalogue[name].findings.map(({ level }) => level))
  })

  it('by a test of that title', () => {
    const missing = names
      .flatMap((name) => [...provoked[name]])
      .filter(([, file, title]) => !readFileSync(`e2e/${file}`, 'utf8').includes(`'${title}'`))
    expect(missing).toEqual([])
  })
})
