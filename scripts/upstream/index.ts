import { statSync, writeFileSync } from 'node:fs'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { releases, testedPatches, type Release } from '../../src/karpenter/releases.js'
import { changesOf } from './changes.js'
import { type Digests, digestsOf } from './digests.js'
import { constantsOf, newestPatches, paths, rowsOf } from './facts.js'
import { folder, gitDirectory, github, type Source, together } from './source.js'
import {
  digestsFile,
  digestsText,
  type PublishedDigests,
  readDigests,
  releasesFile,
  releasesText
} from './written.js'

const usage = `npm run upstream -- [--from PLACE]... [--write]
  Reads what Karpenter publishes at its tags, says what is new, and with --write renews
  ${releasesFile} and ${digestsFile}.
  --from PLACE  a git directory, or a folder with one for each release, in place of GitHub; several are read together`

const { values } = parseArgs({
  options: {
    from: { type: 'string', multiple: true },
    write: { type: 'boolean' },
    help: { type: 'boolean' }
  }
})
if (values.help === true) console.log(usage)
else
  await renew(
    values.from === undefined ? github() : together(values.from.map(placeOf)),
    values.write === true
  )

function placeOf(place: string): Source {
  if (!statSync(place).isDirectory()) throw new Error(`--from ${place}: is no folder`)
  return existsSync(join(place, '.git')) || existsSync(join(place, 'HEAD'))
    ? gitDirectory(place)
    : folder(place)
}

async function renew(source: Source, write: boolean): Promise<void> {
  const versions = await source.versions()
  const found: Release[] = []
  const unread: string[] = []
  for (const version of versions) {
    const constants = await constantsOf(source, version)
    if (constants === undefined) unread.push(version)
    else found.push(constants)
  }
  if (found.length === 0) throw new Error('no release of Karpenter could be read')
  const newest = newestPatches(found.map(({ from }) => from))
  const digests = await publishedDigests(source, versions)
  await sayNews(source, newest)
  if (unread.length > 0) console.log(`Without source: ${unread.join(', ')}`)
  const texts: readonly (readonly [string, string])[] = [
    [releasesFile, await releasesText(rowsOf(found), newest)],
    [digestsFile, await digestsText(digests)]
  ]
  if (!write) return
  for (const [file, text] of texts) writeFileSync(file, text)
  console.log(`Written: ${texts.map(([file]) => file).join(', ')}`)
}

/** Of each distinct template, under the version that had it first; what is known of versions without source stays. */
async function publishedDigests(source: Source, versions: readonly string[]): Promise<PublishedDigests> {
  const known = existsSync(digestsFile) ? readDigests() : {}
  const made: Record<string, PublishedDigests[string]> = {}
  let before = ''
  for (const version of versions) {
    const template = await source.file(version, paths.template)
    if (template === undefined) {
      const own = known[version]
      if (own !== undefined) made[version] = own
      continue
    }
    const own = (partition: Parameters<typeof digestsOf>[1]): Digests => digestsOf(template, partition)
    const all = { aws: own('aws'), 'aws-cn': own('aws-cn'), 'aws-us-gov': own('aws-us-gov') }
    if (JSON.stringify(all) !== before) made[version] = all
    before = JSON.stringify(all)
  }
  return made
}

async function sayNews(source: Source, newest: readonly string[]): Promise<void> {
  const fresh = newest.filter((version) => !testedPatches.includes(version))
  if (fresh.length === 0) {
    console.log(`Nothing new: ${testedPatches.at(-1) ?? ''} is the newest of ${releases.length} rows.`)
    return
  }
  for (const version of fresh) {
    const before =
      testedPatches.findLast((one) => sameMinor(one, version)) ?? newest[newest.indexOf(version) - 1]
    const lines = before === undefined ? [] : await changesOf(source, before, version)
    console.log(
      [
        `Karpenter ${version}, after ${before ?? 'none'}:`,
        ...(lines.length === 0 ? ['no change'] : lines)
      ].join('\n  ')
    )
  }
}

function sameMinor(one: string, other: string): boolean {
  return one.split('.').slice(0, 2).join('.') === other.split('.').slice(0, 2).join('.')
}
