import { existsSync, readFileSync } from 'node:fs'
import semver from 'semver'
import { digestsOf, partitions, type Digests, type Partition } from '../../scripts/upstream/digests.js'
import { readDigests } from '../../scripts/upstream/written.js'
import { releases, testedPatches } from '../../src/karpenter/releases.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'

const published = readDigests()
const versions = Object.keys(published).toSorted(semver.compare)
const allPartitions: readonly Partition[] = ['aws', 'aws-cn', 'aws-us-gov']

/** The version whose template is the one of `version`: it and those after it had the same file. */
function templateOf(version: string): string {
  return versions.findLast((one) => semver.lte(one, version)) ?? ''
}

/** Statements, policies and resources that are not what upstream's file comes to. */
function differing(ours: Digests, theirs: Digests): readonly string[] {
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].filter(
    (part) => ours[part] !== theirs[part]
  )
}

/** The newest minor whose template was at hand when the digests were made; after it what upstream says that it adds. */
const added: Readonly<Record<string, readonly string[]>> = {
  // ec2:RebootInstances. Source: reference/cloudformation of Karpenter's v1.15 documentation.
  '1.15': ['NodeLifecyclePolicy/AllowScopedDeletion']
}

describe("the built-in template beside upstream's own, by the digests of its statements, policies and resources", () => {
  const rows = [...releases.map(({ from }) => from), ...testedPatches].toSorted(semver.compare)

  it.each([...new Set(rows)])('of %s is the same in three partitions', (version) => {
    const text = builtInTemplateText(version)
    const minor = `${semver.major(version)}.${semver.minor(version)}`
    const theirs = published[templateOf(version)]
    for (const partition of allPartitions) {
      expect({
        version,
        partition,
        differs: differing(digestsOf(text, partition), theirs?.[partition] ?? {})
      }).toEqual({
        version,
        partition,
        differs: semver.gte(templateOf(version), `${minor}.0`) ? [] : (added[minor] ?? [])
      })
    }
  })

  it('names the statement that differs', () => {
    const text = builtInTemplateText('1.14.3').replace('ec2:TerminateInstances', 'ec2:StopInstances')
    expect(differing(digestsOf(text, 'aws'), published['1.13.0']?.aws ?? {})).toEqual([
      'NodeLifecyclePolicy/AllowScopedDeletion'
    ])
  })

  it('knows the ten distinct templates of 1.0 to 1.14', () => {
    expect(versions.filter((version) => semver.lt(version, '1.15.0'))).toEqual([
      '1.0.0',
      '1.1.0',
      '1.3.0',
      '1.4.0',
      '1.7.0',
      '1.9.0',
      '1.10.0',
      '1.11.0',
      '1.12.0',
      '1.13.0'
    ])
    expect(Object.keys(partitions)).toEqual(allPartitions)
  })
})

// Upstream's files are not ours to commit. Where they lie beside the project, their texts are compared as well.
const folder = new URL('../../../shared/upstream/', import.meta.url)
const texts = ['1.0.14', '1.2.1', '1.3.8', '1.6.8', '1.8.6', '1.9.2', '1.10.2', '1.11.3', '1.12.2', '1.14.0']
  .map((version) => ({ version, file: new URL(`${version}/cloudformation.yaml`, folder) }))
  .filter(({ file }) => existsSync(file))
if (texts.length > 0) {
  it.each(texts)(
    "upstream's own file of $version has the digests that are kept of it",
    ({ version, file }) => {
      for (const partition of allPartitions) {
        expect(digestsOf(readFileSync(file, 'utf8'), partition)).toEqual(
          published[templateOf(version)]?.[partition]
        )
      }
    }
  )
}
