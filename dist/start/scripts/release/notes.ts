/** A commit since the release before. */
export interface Commit {
  readonly hash: string
  readonly subject: string
}

export interface Release {
  /** `v1.2.3` */
  readonly tag: string
  /** The tag before it; undefined: there is none. */
  readonly previous: string | undefined
  readonly commits: readonly Commit[]
  /** URL of the repository. */
  readonly repository: string
  /** CHANGELOG.md. */
  readonly changelog: string
}

/** What dist/ came to, which says nothing to who reads what has changed. */
const mechanical = new Set(['Build'])

/** The text of a release: what its section of the changelog says, then the commits since the one before. */
export function releaseNotes({ tag, previous, commits, repository, changelog }: Release): string {
  const told = commits.filter(({ subject }) => !mechanical.has(subject))
  const lines = told.map(
    ({ hash, subject }) => `- ${subject} ([${hash.slice(0, 7)}](${repository}/commit/${hash}))`
  )
  const all = previous === undefined ? '' : `\n\n[All changes](${repository}/compare/${previous}...${tag})`
  return `${sectionOf(changelog, tag)}\n\n### Commits\n\n${lines.join('\n')}${all}\n`
}

/** What stands under the version's heading. Throws where there is none: what a release brings is said by its author. */
export function sectionOf(changelog: string, tag: string): string {
  const version = tag.replace(/^v/, '')
  const sections = changelog.split(/^(?=## )/m)
  const own = sections.find((section) => section.split('\n', 1)[0]?.split(' ')[1] === version)
  const text = own?.split('\n').slice(1).join('\n').trim() ?? ''
  if (text === '')
    throw new Error(`CHANGELOG.md: nothing stands under "## ${version}"; say what this release brings`)
  return text
}

/** `v1` of `v1.2.3`; throws for what is no release. */
export function majorOf(tag: string): string {
  const major = /^(v[1-9]\d*|v0)\.\d+\.\d+$/.exec(tag)?.[1]
  if (major === undefined) throw new Error(`${tag}: not the tag of a release; use one such as v1.2.3`)
  return major
}
