import { readFileSync, writeFileSync } from 'node:fs'
import { withChecks, withTables } from './readme-tables.js'

const action = readFileSync('action.yml', 'utf8')
renew('README.md', (text) => withTables(text, action))
renew('docs/preflight.md', withChecks)

function renew(path: string, made: (text: string) => string): void {
  const text = readFileSync(path, 'utf8')
  const renewed = made(text)
  if (renewed !== text) writeFileSync(path, renewed)
  console.log(renewed === text ? `${path} is up to date.` : `${path}: tables renewed.`)
}
