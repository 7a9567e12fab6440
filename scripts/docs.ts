import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { inputGroups, modesOf } from './input-groups.js'
import { withChecks, withGrowth, withTables } from './tables.js'
import { reportSchemaText } from './report-schema.js'
import { filesOfTemplate, roleTemplate } from './role/template.js'
import { terraformPolicy } from './role/terraform.js'

const action = readFileSync('action.yml', 'utf8')
renew('docs/inputs.md', (text) => withTables(text, action, inputGroups, modesOf))
renew('docs/preflight.md', withChecks)
renew('docs/benchmarks.md', withGrowth)
renew('docs/report.schema.json', reportSchemaText)
const policyText = (file: string): string => readFileSync(`docs/permissions/${file}.json`, 'utf8')
renew('docs/permissions/role.yaml', () => roleTemplate(policyText))
for (const file of filesOfTemplate) {
  renew(`docs/permissions/terraform/policies/${file}.json.tftpl`, () => terraformPolicy(policyText(file)))
}

function renew(path: string, made: (text: string) => string): void {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const renewed = made(text)
  if (renewed !== text) writeFileSync(path, renewed)
  console.log(renewed === text ? `${path} is up to date.` : `${path}: renewed.`)
}
