import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { withChecks, withTables } from './readme-tables.js'
import { reportSchemaText } from './report-schema.js'

const action = readFileSync('action.yml', 'utf8')
renew('README.md', (text) => withTables(text, action))
renew('docs/preflight.md', withChecks)
renew('docs/report.schema.json', reportSchemaText)

function renew(path: string, made: (text: string) => string): void {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const renewed = made(text)
  if (renewed !== text) writeFileSync(path, renewed)
  console.log(renewed === text ? `${path} is up to date.` : `${path}: renewed.`)
}
