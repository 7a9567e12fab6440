import { literal } from '../../src/report/markdown.js'
import type { VersionChanges } from './renew.js'

/** For the log; versions that change nothing are counted. */
export function logText(changes: readonly VersionChanges[], read: number, source: string): string {
  const changing = changes.filter(({ lines }) => lines.length > 0)
  const same = changes.length - changing.length
  return [
    `${count(read, 'version')} read from ${source}.`,
    ...changing.flatMap((one) => [title(one), ...one.lines.map((line) => `  ${line}`)]),
    ...(same > 0 ? [`${count(same, 'version')} with nothing that this action goes by changed.`] : [])
  ].join('\n')
}

/** For a pull request. The lines have texts of upstream's, which are shown as text. */
export function summaryText(changes: readonly VersionChanges[]): string {
  const sections = changes.map((one) =>
    [
      `### ${title(one)}`,
      '',
      ...(one.lines.length === 0
        ? ['Nothing that this action goes by has changed.']
        : one.lines.map((line) => `- ${literal(line.trim())}`))
    ].join('\n')
  )
  const intro =
    sections.length === 0
      ? 'Upstream has no new version; digests that were not made of a tag are made of it now.'
      : 'Upstream has released what the table does not have. The rows and digests are renewed; a statement, policy or resource that our own template does not have fails the unit tests, which name it.'
  return `${[intro, ...sections].join('\n\n')}\n`
}

function title({ version, after }: VersionChanges): string {
  return after === undefined ? version : `${version}, after ${after}`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
