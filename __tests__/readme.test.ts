import { existsSync, readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { isMap } from '../src/engine/json.js'
import { withChecks, withTables } from '../scripts/readme-tables.js'

const readme = readFileSync('README.md', 'utf8')
const action = readFileSync('action.yml', 'utf8')

function namesOf(section: string): readonly string[] {
  const metadata: unknown = load(action)
  const entries = isMap(metadata) ? metadata[section] : undefined
  return isMap(entries) ? Object.keys(entries) : []
}

describe('README.md', () => {
  it('has the tables that action.yml comes to; `npm run docs` renews them', () => {
    expect(withTables(readme, action)).toBe(readme)
  })

  it('names only inputs that action.yml has in the workflows to copy', () => {
    const files = [
      'README.md',
      ...['install', 'upgrade', 'adopt', 'drift', 'test-cluster', 'mirror'].map(
        (name) => `examples/${name}.yml`
      )
    ]
    const used = files
      .map((file) => readFileSync(file, 'utf8'))
      .flatMap((text) => [...text.matchAll(/uses: org\/setup-karpenter@v1\n +with:\n((?: {10}.*\n)+)/g)])
      .flatMap(([, block = '']) => [...block.matchAll(/^ {10}([\w-]+):/gm)].map(([, name]) => name))
    expect(used).toContain('cluster-name')
    expect(used.filter((name) => name === undefined || !namesOf('inputs').includes(name))).toEqual([])
  })

  it('links to files that are there', () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path = '']) => path)
    expect(links).toContain('SECURITY.md')
    expect(links.filter((path) => !existsSync(path))).toEqual([])
  })

  it('shows the permissions that the action needs', () => {
    expect(readme).toContain('id-token: write')
    expect(readme).toContain('contents: read')
  })
})

describe('docs/preflight.md', () => {
  it('has every check that the catalogue has; `npm run docs` renews it', () => {
    const page = readFileSync('docs/preflight.md', 'utf8')
    expect(withChecks(page)).toBe(page)
  })
})
