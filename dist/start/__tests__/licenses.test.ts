import { readFileSync } from 'node:fs'
import { isMap, mapAt } from '../src/engine/json.js'

/** Licences that ask of who passes the code on no more than to keep the notice, which dist/licenses.txt does. */
const permissive = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'PSF-2.0',
  'Python-2.0'
])

const packages = Object.entries(
  mapAt(JSON.parse(readFileSync('package-lock.json', 'utf8')), 'packages')
).filter(([path]) => path !== '')

test('dist has packages with permissive licences alone', () => {
  const shipped = packages.filter(([, entry]) => isMap(entry) && entry['dev'] !== true)
  expect(shipped.length).toBeGreaterThan(20)
  const others = shipped.flatMap(([path, entry]) => {
    const license = isMap(entry) ? entry['license'] : undefined
    return typeof license === 'string' && permissive.has(license) ? [] : [`${path}: ${String(license)}`]
  })
  expect(others).toEqual([])
})

test('what is not permissive is a development dependency that CONTRIBUTING.md names', () => {
  const copyleft = packages.filter(([, entry]) => isMap(entry) && /GPL/.test(String(entry['license'])))
  const contributing = readFileSync('CONTRIBUTING.md', 'utf8')
  for (const [path, entry] of copyleft) {
    expect(mapAt({ entry }, 'entry')['dev']).toBe(true)
    expect(contributing).toContain(path.replace(/^node_modules\//, ''))
  }
})
