import { builtInTemplateText } from './template-built-in.js'
import { parseTemplate } from './template-syntax.js'
import { testedVersions } from './tested-versions.js'
import { isBefore } from './versions.js'

/**
 * The newest version whose published template has exactly these resources, by their logical ids. Undefined where none
 * has: a template of one's own, or one that was adapted.
 */
export function templateVersionOf(logicalIds: Iterable<string>): string | undefined {
  const wanted = asText(logicalIds)
  return testedVersions.find((version) => resourcesOf(version) === wanted)
}

/**
 * The version whose template a stack is to have. Tools bring a template of their own along and install an older Karpenter
 * with it, which serves as well: the older one in its place would take away policies that are attached, only for the next
 * upgrade to bring them back. `stands`: the version whose template the stack has.
 */
export function templateVersionFor(version: string, stands: string | undefined): string {
  if (stands === undefined || !isBefore(version, stands)) return version
  return resourcesOf(version) === resourcesOf(stands) ? version : stands
}

function resourcesOf(version: string): string {
  return asText(parseTemplate(builtInTemplateText(version)).resources.map(({ logicalId }) => logicalId))
}

function asText(logicalIds: Iterable<string>): string {
  return [...logicalIds].toSorted().join()
}
