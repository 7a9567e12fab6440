import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { differingFiles } from '../../scripts/compare-folders.js'

const root = mkdtempSync(join(tmpdir(), 'compare-folders-'))
const folder = (name: string, files: Readonly<Record<string, string>>): string => {
  const path = join(root, name)
  mkdirSync(join(path, 'deep'), { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text)
  return path
}

afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('comparing dist with a fresh build', () => {
  it('finds nothing between equal folders', () => {
    const files = { 'index.js': 'one', 'deep/chunk.js': 'two' }
    expect(differingFiles(folder('a', files), folder('b', files))).toEqual([])
  })

  it('names files that differ, that are missing and that are left over', () => {
    const expected = folder('c', { 'index.js': 'one', 'deep/new.js': 'two' })
    const actual = folder('d', { 'index.js': 'One', 'old.js': 'three' })
    expect(differingFiles(expected, actual)).toEqual([
      `${join('deep', 'new.js')} is missing`,
      'index.js differs',
      'old.js is left over'
    ])
  })
})
