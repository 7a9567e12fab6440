import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Names what differs between two folders, byte by byte, one line a file; empty when they are equal. */
export function differingFiles(expected: string, actual: string): readonly string[] {
  const wanted = filesOf(expected)
  const found = filesOf(actual)
  const names = [...new Set([...wanted.keys(), ...found.keys()])].sort()
  return names.flatMap((name) => {
    const left = wanted.get(name)
    const right = found.get(name)
    if (left === undefined) return [`${name} is left over`]
    if (right === undefined) return [`${name} is missing`]
    return left.equals(right) ? [] : [`${name} differs`]
  })
}

function filesOf(folder: string): ReadonlyMap<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(folder, path), readFileSync(path)])
  )
}
