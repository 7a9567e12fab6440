import type { DigestRow } from '../../../scripts/upstream/digests.js'
import { digestRows, digestsAt, newestPatches, releaseRows } from '../../../scripts/upstream/rows.js'
import { readGenerated } from '../../../scripts/upstream/files.js'

const facts = (most: number, nodeClassHash = 'v1') => ({ kubernetes: { least: 25, most }, nodeClassHash })
const rows = [
  { from: '1.0.0', ...facts(30) },
  { from: '1.1.2', ...facts(31) },
  { from: '1.2.0', ...facts(31, 'v2') }
]
const known = ['1.0.9', '1.1.5', '1.2.3']

describe('The rows of the releases', () => {
  it('stay as they are where nothing is read', () => {
    expect(releaseRows(rows, new Map(), known)).toEqual(rows)
  })

  it('begin where something changes, and a new version that changes nothing has none', () => {
    const read = new Map([
      ['1.2.4', facts(31, 'v2')],
      ['1.3.0', facts(33, 'v2')],
      ['1.3.1', facts(33, 'v2')]
    ])
    expect(releaseRows(rows, read, known)).toEqual([...rows, { from: '1.3.0', ...facts(33, 'v2') }])
  })

  it('let a late patch of an older minor say nothing of the minors after it', () => {
    expect(releaseRows(rows, new Map([['1.1.6', facts(34)]]), known)).toEqual([
      rows[0],
      rows[1],
      { from: '1.1.6', ...facts(34) },
      rows[2]
    ])
  })

  it('are put right by what is read', () => {
    expect(releaseRows(rows, new Map([['1.1.2', facts(30)]]), ['1.1.1', '1.1.3', ...known])).toEqual([
      rows[0],
      { from: '1.1.3', ...facts(31) },
      rows[2]
    ])
  })

  it('are written as they are read', () => {
    const { releases, testedPatches, digests } = readGenerated()
    expect(releaseRows(releases, new Map(), testedPatches)).toEqual(releases)
    expect(digestRows(digests, new Map(), testedPatches)).toEqual(digests)
    expect(newestPatches(testedPatches, () => true)).toEqual(testedPatches)
  })
})

describe('The newest patches', () => {
  it('are one a minor in the order of versions, and no release that is known to be bad', () => {
    const versions = ['1.9.0', '1.10.0', '1.10.10', '1.10.9', '1.9.1', '1.11.0']
    expect(newestPatches(versions, (version) => version !== '1.9.1' && version !== '1.11.0')).toEqual([
      '1.9.0',
      '1.10.10'
    ])
  })
})

describe('The rows of the digests', () => {
  const everywhere = (digest: string) => ({ aws: digest, 'aws-cn': digest, 'aws-us-gov': digest })
  const same = (digests: Record<string, string>) => ({
    aws: digests,
    'aws-cn': digests,
    'aws-us-gov': digests
  })
  const kept: readonly DigestRow[] = [
    { from: '1.0.0', source: 'v1.0.0', changes: { Role: everywhere('r1'), Queue: everywhere('q1') } },
    { from: '1.1.0', source: 'a page', changes: { Queue: null, 'Policy A': everywhere('a1') } }
  ]

  it('come to all that a version has', () => {
    expect(digestsAt(kept, '1.0.9').aws).toEqual({ Role: 'r1', Queue: 'q1' })
    expect(digestsAt(kept, '1.4.0')['aws-cn']).toEqual({ Role: 'r1', 'Policy A': 'a1' })
  })

  it('say what a version adds, changes and takes away, and where that was read', () => {
    const read = new Map([['1.2.0', { source: 'v1.2.0', digests: same({ Role: 'r2', 'Policy B': 'b1' }) }]])
    expect(digestRows(kept, read, ['1.1.0'])).toEqual([
      ...kept,
      {
        from: '1.2.0',
        source: 'v1.2.0',
        changes: { 'Policy A': null, 'Policy B': everywhere('b1'), Role: everywhere('r2') }
      }
    ])
  })

  it('have a change in one partition alone', () => {
    const digests = { ...same({ Role: 'r1', 'Policy A': 'a1' }), 'aws-cn': { Role: 'rc', 'Policy A': 'a1' } }
    const [, , row] = digestRows(kept, new Map([['1.2.0', { source: 'v1.2.0', digests }]]), ['1.1.0'])
    expect(row?.changes).toEqual({ Role: { aws: 'r1', 'aws-cn': 'rc', 'aws-us-gov': 'r1' } })
  })

  it('go by the tag once it can be read', () => {
    const read = new Map([['1.1.0', { source: 'v1.1.0', digests: same({ Role: 'r1', 'Policy A': 'a1' }) }]])
    expect(digestRows(kept, read, ['1.1.0'])[1]?.source).toBe('v1.1.0')
  })
})
