import { readdirSync, readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { isMap } from '../src/engine/json.js'
import { outputNames } from '../src/run/outputs.js'

const metadata: unknown = load(readFileSync('action.yml', 'utf8'))
const action = isMap(metadata) ? metadata : {}
const section = (name: string): [string, unknown][] => Object.entries(isMap(action[name]) ? action[name] : {})

describe('action.yml', () => {
  it('declares exactly the outputs that are set', () => {
    expect(section('outputs').map(([name]) => name)).toEqual([...outputNames])
  })

  it("keeps within the Marketplace's limit for the description", () => {
    expect(String(action['description']).length).toBeLessThan(125)
  })

  it.each([...section('inputs'), ...section('outputs')])('describes %s', (_name, entry) => {
    expect(isMap(entry) ? entry['description'] : undefined).toMatch(/\.$/)
  })

  it('runs one file as main and as post', () => {
    expect(action['runs']).toEqual({
      using: 'node24',
      main: 'dist/index.js',
      post: 'dist/index.js',
      'post-if': 'always()'
    })
  })
})

test('dist has what is loaded and its licences, and no file of the folder that it was built in', () => {
  const others = readdirSync('dist').filter(
    (name) => !/^((\d+\.)?index\.js|licenses\.txt|package\.json)$/.test(name)
  )
  expect(others).toEqual([])
})
