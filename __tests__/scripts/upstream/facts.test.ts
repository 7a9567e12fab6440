import { constantsOf, newestPatches, paths, rowsOf } from '../../../scripts/upstream/facts.js'
import { changesOf } from '../../../scripts/upstream/changes.js'
import { releasesText } from '../../../scripts/upstream/written.js'
import { together, type Source } from '../../../scripts/upstream/source.js'
import { builtInTemplateText } from '../../../src/karpenter/template-built-in.js'
import { releases, testedPatches } from '../../../src/karpenter/releases.js'
import { readFileSync } from 'node:fs'

type Files = Readonly<Record<string, Readonly<Record<string, string>>>>

function sourceOf(files: Files): Source {
  return {
    versions: async () => Object.keys(files),
    file: async (version, path) => files[version]?.[path]
  }
}

const go = (least: string, most: string, hash: string): Readonly<Record<string, string>> => ({
  [paths.kubernetes]: `package version\n\nconst (\n\tMinK8sVersion = "${least}"\n\tMaxK8sVersion = "${most}"\n)\n`,
  [paths.hash]: `// EC2NodeClassHashVersion is "v1" in a comment\nconst EC2NodeClassHashVersion = "${hash}"\n`
})

describe('what is read at a tag', () => {
  it('is the constants, and nothing that only looks like them', async () => {
    expect(await constantsOf(sourceOf({ '1.2.3': go('1.25', '1.32', 'v4') }), '1.2.3')).toEqual({
      from: '1.2.3',
      kubernetes: { least: 25, most: 32 },
      nodeClassHash: 'v4'
    })
  })

  it('is not made up where a file is there and its constant is not', async () => {
    const files = { '1.2.3': { ...go('1.25', '1.32', 'v4'), [paths.hash]: 'const Other = "v4"' } }
    await expect(constantsOf(sourceOf(files), '1.2.3')).rejects.toThrow(
      '1.2.3: its source has no constant EC2NodeClassHashVersion'
    )
    expect(await constantsOf(sourceOf({ '1.2.3': {} }), '1.2.3')).toBeUndefined()
  })

  it('makes a row where something changes, and keeps the newest patch of each minor', () => {
    const release = (from: string, most: number): (typeof releases)[number] => ({
      from,
      kubernetes: { least: 25, most },
      nodeClassHash: 'v4'
    })
    const all = [release('1.6.5', 33), release('1.6.6', 34), release('1.6.8', 34), release('1.7.0', 33)]
    expect(rowsOf(all).map(({ from }) => from)).toEqual(['1.6.5', '1.6.6', '1.7.0'])
    expect(newestPatches(['1.6.5', '1.6.6', '1.6.10', '1.7.0'])).toEqual(['1.6.10', '1.7.0'])
  })

  it('comes from the first source that has it', async () => {
    const source = together([
      sourceOf({ '1.0.0': { a: 'one' } }),
      sourceOf({ '1.0.0': { a: 'two', b: 'two' }, '1.1.0': {} })
    ])
    expect(await source.versions()).toEqual(['1.0.0', '1.1.0'])
    expect([await source.file('1.0.0', 'a'), await source.file('1.0.0', 'b')]).toEqual(['one', 'two'])
  })
})

describe('what is said of a new release', () => {
  it('names the statement, the value of the chart, and what could not be compared', async () => {
    const files = {
      '1.14.3': {
        [paths.template]: builtInTemplateText('1.14.3'),
        [paths.values]: 'settings: {logLevel: info}'
      },
      '1.15.2': {
        [paths.template]: builtInTemplateText('1.15.2'),
        [paths.values]: 'settings: {logLevel: info, enableDRA: false}'
      }
    }
    expect(await changesOf(sourceOf(files), '1.14.3', '1.15.2')).toEqual([
      'template: KarpenterControllerNodeLifecyclePolicy-blue/AllowScopedDeletion changed: + Action: ec2:RebootInstances',
      'chart: value settings.enableDRA is new',
      ...paths.crds.map(() => 'CRDs: not compared, the source does not have it')
    ])
  })
})

it('writes the rows as they stand in the tree', async () => {
  expect(await releasesText(releases, testedPatches)).toBe(
    readFileSync('src/karpenter/releases.generated.ts', 'utf8')
  )
})
