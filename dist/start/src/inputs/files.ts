import { messageOf } from '../engine/errors.js'
import { entriesOf, type Reading } from './parsers.js'
import { quoted, shown } from './problems.js'

/** A file of the workspace, or what an input itself holds. */
export interface SourceText {
  /** What errors call it: the path, or the input's name. */
  readonly source: string
  readonly text: string
}

/** The files that a list of paths and globs names, each once, with their texts. */
export function fileTexts(value: string, right: string, reading: Reading): readonly SourceText[] {
  const paths = [...new Set(entriesOf(value).flatMap((entry) => filesOf(entry, right, reading)))]
  return paths.map((path) => ({ source: path, text: fileText(path, right, reading) }))
}

/** Empty, with a problem, where it cannot be read. */
export function fileText(path: string, right: string, reading: Reading): string {
  try {
    return reading.readFile(path)
  } catch (error) {
    reading.problem(`${quoted(path)} cannot be read (${shown(messageOf(error))})`, right)
    return ''
  }
}

function filesOf(entry: string, right: string, reading: Reading): readonly string[] {
  if (!/[*?[{]/.test(entry)) return [entry]
  const found = reading.findFiles(entry)
  if (found.length === 0) reading.problem(`${quoted(entry)} matches no file`, right)
  return found
}
