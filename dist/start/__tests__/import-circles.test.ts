import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'

/** File of a folder to the files of it that it imports, types included. */
function importsOf(folder: string): ReadonlyMap<string, readonly string[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts')
  )
  return new Map(
    files.map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(folder, file), 'utf8'), true, true)
      const own = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith('.'))
      return [file, own.map((name) => normalize(join(dirname(file), name.replace(/\.js$/, '.ts'))))]
    })
  )
}

/** The first circle that a walk along the imports meets, as a path; undefined where there is none. */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const next of imports.get(file) ?? []) {
      const circle = walk(next, [...path, file])
      if (circle !== undefined) return circle
    }
    done.add(file)
    return undefined
  }
  for (const file of imports.keys()) {
    const circle = walk(file, [])
    if (circle !== undefined) return circle
  }
  return undefined
}

test.each([
  ['src', 'main.ts', 'run/ports.ts'],
  ['sandbox', 'index.ts', 'cluster/assemble.ts'],
  ['e2e', 'torture/index.ts', 'torture/point.ts'],
  ['bench', 'index.ts', 'installs.ts'],
  ['scripts', 'ci/index.ts', 'ci/stage.ts'],
  ['__tests__', 'modes/mutating-policy.test.ts', 'modes/played-run.ts']
])('no file of %s imports itself by way of others, types included', (folder, file, imported) => {
  const imports = importsOf(folder)
  expect(imports.get(file)).toContain(imported)
  expect(circleIn(imports)).toBeUndefined()
})

test('a circle is found, and named from end to end', () => {
  const circle = new Map([
    ['a.ts', ['b.ts']],
    ['b.ts', ['c.ts']],
    ['c.ts', ['b.ts']]
  ])
  expect(circleIn(circle)).toEqual(['b.ts', 'c.ts', 'b.ts'])
})
