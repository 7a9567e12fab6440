import { readFileSync, writeFileSync } from 'node:fs'
import { withTables } from './readme-tables.js'

const readme = readFileSync('README.md', 'utf8')
const renewed = withTables(readme, readFileSync('action.yml', 'utf8'))
if (renewed !== readme) writeFileSync('README.md', renewed)
console.log(renewed === readme ? 'README.md is as action.yml has it.' : 'README.md: tables renewed.')
