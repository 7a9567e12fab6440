import { entriesOf, type Parser, type Reading } from './parsers.js'
import { quoted } from './problems.js'
import { fileText } from './values.js'

export type NodePoolsInput =
  | { readonly kind: 'default' }
  | { readonly kind: 'none' }
  | { readonly kind: 'manifests'; readonly texts: readonly ManifestText[] }

interface ManifestText {
  /** What errors call it: the path, or `node-pools`. */
  readonly source: string
  readonly text: string
}

const right = 'use default, none, paths or globs of manifests, or YAML'

/** YAML has a comment, a dash or a key somewhere; paths have none. */
const yaml = /^\s*(#|---|\{|- |["']?[\w.-]+["']?\s*:(\s|$))/m

export const nodePools: Parser<NodePoolsInput> = (value, reading) => {
  if (value === 'default' || value === 'none') return { kind: value }
  if (yaml.test(value)) return { kind: 'manifests', texts: [{ source: 'node-pools', text: value }] }
  const paths = [...new Set(entriesOf(value).flatMap((entry) => filesOf(entry, reading)))]
  return {
    kind: 'manifests',
    texts: paths.map((path) => ({ source: path, text: fileText(path, right, reading) }))
  }
}

function filesOf(entry: string, reading: Reading): readonly string[] {
  if (!/[*?[{]/.test(entry)) return [entry]
  const found = reading.findFiles(entry)
  if (found.length === 0) reading.problem(`${quoted(entry)} matches no file`, right)
  return found
}
