import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { inputGroups, modesOf } from './input-groups.js'
import { withChecks, withTables } from './tables.js'
import { reportSchemaText } from './report-schema.js'

const action = readFileSync('action.yml', 'utf8')
renew('docs/inputs.md', (text) => withTables(text, action, inputGroups, modesOf))
renew('docs/preflight.md', withChecks)
renew('docs/report.schema.json', reportSchemaText)

function renew(path: string, made: (text: string) => string): void {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const renewed = made(text)
  if (renewed !== text) writeFileSync(path, renewed)
  console.log(renewed === text ? `${path} is up to date.` : `${path}: renewed.`)
}
