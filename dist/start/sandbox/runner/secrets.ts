import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** A secret and the place where it was found. Holds the secret's name, never its value. */
export interface Leak {
  readonly secret: string
  readonly place: string
}

/** Where a run can leave something, by a name for people. */
export type Places = Readonly<Record<string, string>>

/** Every named secret that stands in one of the places, as it is, in base64 or URI-encoded. */
export function leaksIn(secrets: Readonly<Record<string, string>>, places: Places): readonly Leak[] {
  const leaks: Leak[] = []
  for (const [secret, value] of Object.entries(secrets)) {
    if (value === '') {
      continue
    }
    const forms = [value, Buffer.from(value).toString('base64').replace(/=+$/, ''), encodeURIComponent(value)]
    for (const [place, content] of Object.entries(places)) {
      if (forms.some((form) => content.includes(form))) {
        leaks.push({ secret, place })
      }
    }
  }
  return leaks
}

/** Files above this are programs that were downloaded, not something a run wrote. */
const LARGEST = 8 * 1024 * 1024

/** The text of every file below a folder, by its path. A folder that is not there has none. */
export async function filesBelow(folder: string): Promise<Places> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files: Record<string, string> = {}
  for (const entry of entries) {
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name)
      const size = await stat(path).then(
        (found) => found.size,
        () => 0
      )
      files[path] = size > LARGEST ? '' : await readFile(path, 'utf8').catch(() => '')
    }
  }
  return files
}
