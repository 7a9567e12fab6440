import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { load } from 'js-yaml'
import { isMap } from '../src/engine/json.js'
import { inputGroups, modesOf } from '../scripts/input-groups.js'
import { withChecks, withGrowth, withTables } from '../scripts/tables.js'

const readme = readFileSync('README.md', 'utf8')
const action = readFileSync('action.yml', 'utf8')

function namesOf(section: string): readonly string[] {
  const metadata: unknown = load(action)
  const entries = isMap(metadata) ? metadata[section] : undefined
  return isMap(entries) ? Object.keys(entries) : []
}

describe('README.md', () => {
  it('is read in a few minutes', () => {
    expect(readme.split(/\s+/).length).toBeLessThan(900)
  })

  it('names only inputs that action.yml has in the workflows to copy', () => {
    const files = [
      'README.md',
      'docs/checking.md',
      'docs/planning.md',
      'docs/uninstalling.md',
      ...['install', 'plan', 'upgrade', 'adopt', 'drift', 'test-cluster', 'mirror'].map(
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

  it('links to SECURITY.md', () => {
    expect(linksOf('README.md')).toContain('SECURITY.md')
  })

  it('shows the permissions that the action needs', () => {
    expect(readme).toContain('id-token: write')
    expect(readme).toContain('contents: read')
  })
})

/** Paths that a page links to, from the root of the repository. */
function linksOf(page: string): readonly string[] {
  const links = readFileSync(page, 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)
  return [...links].map(([, path = '']) => join(dirname(page), path))
}

describe('every page', () => {
  const docs = readdirSync('docs', { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name))
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...docs.filter((name) => name.endsWith('.md'))
  ]

  it.each(pages)('%s links to files that are there', (page) => {
    expect(linksOf(page).filter((path) => !existsSync(path))).toEqual([])
  })
})

describe('docs/inputs.md', () => {
  it('has the tables that action.yml comes to; `npm run docs` renews them', () => {
    const page = readFileSync('docs/inputs.md', 'utf8')
    expect(withTables(page, action, inputGroups, modesOf)).toBe(page)
  })
})

describe('docs/preflight.md', () => {
  it('has every check that the catalogue has; `npm run docs` renews it', () => {
    const page = readFileSync('docs/preflight.md', 'utf8')
    expect(withChecks(page)).toBe(page)
  })
})

describe('docs/benchmarks.md', () => {
  it('has the limits of growth that the bench holds; `npm run docs` renews it', () => {
    const page = readFileSync('docs/benchmarks.md', 'utf8')
    expect(withGrowth(page)).toBe(page)
  })
})
