import { isMap } from '../../engine/json.js'
import { ofOtherTools } from '../../engine/placeholders.js'
import { templateIn } from '../../engine/yaml.js'
import type { DocumentFindings } from './findings.js'
import { replaceInScript } from './user-data.js'

/** `${CLUSTER_NAME}`, `${CLUSTER_NAME:-blue}`, `$CLUSTER_NAME`, samples' `<<CLUSTER_NAME>>` and `<cluster>`, and any other `${...}`. */
const placeholder =
  /(?<!\$)\$\{([A-Za-z_]\w*)(?:(?::?[-=?+])[^{}]*)?\}|\$([A-Z][A-Z_0-9]+)\b|<<?([A-Za-z][\w-]*)>>?|(?<!\$)\$\{[^{}]*\}/g

/**
 * The document with the guide's placeholders replaced. A placeholder that nothing is known for is a problem; in userData,
 * whose scripts have variables of their own, it is a warning.
 */
export function replacePlaceholders(
  value: unknown,
  known: Readonly<Record<string, string>>,
  findings: DocumentFindings
): unknown {
  const replaced = new Set<string>()
  const unknown = new Set<string>()
  const templates = new Set<string>()
  const inText = (text: string): string => {
    const template = templateIn(text)
    if (template !== undefined) {
      templates.add(template)
      return text
    }
    for (const found of ofOtherTools(text)) unknown.add(found)
    return text.replaceAll(
      placeholder,
      (all: string, braced: string | undefined, bare: string | undefined, sample: string | undefined) => {
        const own = known[braced ?? bare ?? sample?.replaceAll('-', '_').toUpperCase() ?? '']
        if (own !== undefined) {
          replaced.add(`${all} by ${own}`)
          return own
        }
        // Prose may have a dollar or pointed brackets in it: `$USD 100`.
        if (/^(\$\{|<<)/.test(all) || !/\s/.test(text)) unknown.add(all)
        return all
      }
    )
  }
  const inValue = (part: unknown): unknown => {
    if (typeof part === 'string') return inText(part)
    if (Array.isArray(part)) return part.map(inValue)
    if (!isMap(part)) return part
    return Object.fromEntries(
      Object.entries(part).map(([key, member]) => [
        inText(key),
        key === 'userData' && typeof member === 'string'
          ? inScript(member)
          : key === 'annotations'
            ? member
            : inValue(member)
      ])
    )
  }
  const inScript = (script: string): string => {
    const read = replaceInScript(script, known)
    for (const one of read.replaced) replaced.add(`${one.placeholder} by ${one.value} in userData`)
    if (read.unknown.length > 0) {
      findings.warn(
        `userData has ${read.unknown.join(', ')}, which neither this action replaces nor the script sets: the node gets it as it is written`
      )
    }
    const template = templateIn(script)
    if (template !== undefined && read.unknown.length === 0) findings.warn(`userData: ${template}`)
    return read.text
  }
  const result = inValue(value)
  if (replaced.size > 0)
    findings.warn(`replaced ${[...replaced].join(', ')}, as the guide's shell would have done`)
  for (const template of templates) findings.problem(template)
  if (unknown.size > 0) {
    findings.problem(
      `has ${[...unknown].join(', ')}, which nothing replaces here; write the value (${Object.keys(known)
        .map((name) => `\${${name}}`)
        .join(' and ')} are replaced)`
    )
  }
  return result
}
