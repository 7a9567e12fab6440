import { readFileSync } from 'node:fs'
import { mapAt } from '../src/engine/json.js'

test('CONTRIBUTING.md names every command of package.json, and no other', () => {
  const commands = Object.keys(mapAt(JSON.parse(readFileSync('package.json', 'utf8')), 'scripts'))
  const named = [...readFileSync('CONTRIBUTING.md', 'utf8').matchAll(/`npm (?:run )?([a-z0-9-]+)[^`]*`/g)]
  expect(new Set(named.map(([, name]) => name))).toEqual(new Set(commands))
})
