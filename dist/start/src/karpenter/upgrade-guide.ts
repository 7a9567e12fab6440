import semver from 'semver'

/** An entry of Karpenter's upgrade guide that begins with `**Breaking:**`. */
export interface BreakingChange {
  /** The version whose section it stands in: `1.15.0`. */
  readonly version: string
  /** In one line, without marks of Markdown other than those of code. */
  readonly text: string
}

/** `### Upgrading to `1.15.0`+` */
const sectionHeading = /^#+\s+Upgrading to\s+`?v?(\d+\.\d+\.\d+)/i
const listItem = /^\s*[*+-]\s+(.*)$/
/** Upstream's own rule for the guide, website/content/en/preview/upgrading/AGENTS.md since 1.15. */
const breakingMark = /^\*\*Breaking(?: changes?)?(?::\*\*|\*\*:)\s*(.*)$/i

/**
 * The breaking changes that an upgrade guide (website/content/en/preview/upgrading/upgrade-guide.md at a tag) names for the
 * versions after the one and up to the other, ascending; those of a version in the order of the guide. None for a way back,
 * and none of versions before 1.15, whose entries have no mark.
 */
export function breakingChanges(text: string, from: string, to: string): readonly BreakingChange[] {
  const [after, upTo] = [semver.coerce(from), semver.coerce(to)]
  if (after === null || upTo === null) return []
  return sectionsOf(text)
    .filter(({ version }) => semver.gt(version, after) && semver.lte(version, upTo))
    .toSorted((a, b) => semver.compare(a.version, b.version))
    .flatMap(({ version, lines }) => entriesOf(lines).map((entry) => ({ version, text: entry })))
}

interface Section {
  readonly version: string
  readonly lines: readonly string[]
}

function sectionsOf(text: string): readonly Section[] {
  const sections: { version: string; lines: string[] }[] = []
  let open: string[] | undefined
  // The guide keeps advice for its authors in comments.
  for (const line of text.replaceAll(/<!--[\s\S]*?-->/g, '').split(/\r?\n/)) {
    const version = sectionHeading.exec(line)?.[1]
    if (version !== undefined) {
      open = []
      sections.push({ version, lines: open })
    } else if (/^#{1,3}\s/.test(line)) open = undefined
    else open?.push(line)
  }
  return sections
}

/** The marked items of the lists, each with the lines and the items that belong to it. */
function entriesOf(lines: readonly string[]): readonly string[] {
  const entries: string[][] = []
  let open: { readonly parts: string[]; readonly indent: number } | undefined
  let afterEmpty = false
  for (const line of lines) {
    if (line.trim() === '') {
      afterEmpty = true
      continue
    }
    const indent = line.length - line.trimStart().length
    const item = listItem.exec(line)?.[1]
    if (open !== undefined && indent > open.indent) open.parts.push(item ?? line)
    else if (item !== undefined) {
      const marked = breakingMark.exec(item)?.[1]
      open = marked === undefined ? undefined : { parts: [marked], indent }
      if (open !== undefined) entries.push(open.parts)
      // A line without an indent goes on in the item before it, as in any Markdown.
    } else if (open !== undefined && !afterEmpty && !line.startsWith('{{')) open.parts.push(line)
    else open = undefined
    afterEmpty = false
  }
  return entries.map((parts) => plain(parts.join(' '))).filter((entry) => entry !== '')
}

/** Without links, emphasis and Hugo's short codes; code keeps its marks. */
function plain(markdown: string): string {
  return markdown
    .replaceAll(/\{\{[<%].*?[%>]\}\}/g, '')
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .split(/(`[^`]*`)/)
    .map((part) =>
      part.startsWith('`')
        ? part
        : part.replaceAll('**', '').replaceAll(/(?<![\w*])[*_](\S[^*_]*)[*_](?![\w*])/g, '$1')
    )
    .join('')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
