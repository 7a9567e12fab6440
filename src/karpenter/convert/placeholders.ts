import { isMap } from '../../engine/json.js'
import type { DocumentFindings } from './findings.js'

/** What a shell would have put into the guide's text: `${CLUSTER_NAME}`, `$CLUSTER_NAME`. */
const placeholder = /\$\{([A-Za-z_]\w*)\}|\$([A-Z][A-Z_0-9]+)/g

/**
 * The document with the guide's placeholders replaced. Scripts in userData have variables of their own and stay as they
 * are. A placeholder that nothing is known for is a problem.
 */
export function replacePlaceholders(
  value: unknown,
  known: Readonly<Record<string, string>>,
  findings: DocumentFindings
): unknown {
  const replaced = new Set<string>()
  const unknown = new Set<string>()
  const inText = (text: string): string =>
    text.replaceAll(placeholder, (all, braced: string | undefined, bare: string | undefined) => {
      const name = braced ?? bare ?? ''
      const own = known[name]
      if (own === undefined) {
        unknown.add(all)
        return all
      }
      replaced.add(`${all} by ${own}`)
      return own
    })
  const inValue = (part: unknown): unknown => {
    if (typeof part === 'string') return inText(part)
    if (Array.isArray(part)) return part.map(inValue)
    if (!isMap(part)) return part
    return Object.fromEntries(
      Object.entries(part).map(([key, member]) => [
        inText(key),
        key === 'userData' ? member : inValue(member)
      ])
    )
  }
  const result = inValue(value)
  if (replaced.size > 0)
    findings.warn(`replaced ${[...replaced].join(', ')}, as the guide's shell would have done`)
  if (unknown.size > 0) {
    findings.problem(
      `has ${[...unknown].join(', ')}, which nothing replaces here; write the value (${Object.keys(known)
        .map((name) => `\${${name}}`)
        .join(' and ')} are replaced)`
    )
  }
  return result
}
