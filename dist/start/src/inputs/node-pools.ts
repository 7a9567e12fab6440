import { fileTexts, type SourceText } from './files.js'
import type { Parser } from './parsers.js'

export type NodePoolsInput =
  | { readonly kind: 'default' }
  | { readonly kind: 'none' }
  | { readonly kind: 'manifests'; readonly texts: readonly SourceText[] }

const right = 'use default, none, paths or globs of manifests, or YAML'

/** YAML has a comment, a dash or a key somewhere; paths have none. */
const yaml = /^\s*(#|---|\{|- |["']?[\w.-]+["']?\s*:(\s|$))/m

export const nodePools: Parser<NodePoolsInput> = (value, reading) => {
  if (value === 'default' || value === 'none') return { kind: value }
  if (yaml.test(value)) return { kind: 'manifests', texts: [{ source: 'node-pools', text: value }] }
  return { kind: 'manifests', texts: fileTexts(value, right, reading) }
}
