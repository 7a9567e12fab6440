import { readFileSync } from 'node:fs'
import { majorOf, releaseNotes, sectionOf } from '../../../scripts/release/notes.js'

const changelog = '# Changelog\n\n## 1.1.0 (2026-12-01)\n\n- New: mode plan.\n\n## 1.0.0\n\n- The first.\n'
const repository = 'https://github.com/org/setup-karpenter'

test('a release says what the changelog has of it, then the commits since the one before, without those of dist', () => {
  const commits = [
    { hash: 'a'.repeat(40), subject: 'Say what an install would do' },
    { hash: 'b'.repeat(40), subject: 'Build' }
  ]
  expect(releaseNotes({ tag: 'v1.1.0', previous: 'v1.0.0', commits, repository, changelog })).toBe(
    `- New: mode plan.\n\n### Commits\n\n- Say what an install would do ([aaaaaaa](${repository}/commit/${'a'.repeat(40)}))\n\n[All changes](${repository}/compare/v1.0.0...v1.1.0)\n`
  )
  expect(releaseNotes({ tag: 'v1.0.0', previous: undefined, commits, repository, changelog })).not.toContain(
    'All changes'
  )
})

test('a version of which the changelog says nothing is not released', () => {
  expect(() => sectionOf(changelog, 'v1.2.0')).toThrow('nothing stands under "## 1.2.0"')
  expect(() => sectionOf('## 1.2.0\n\n## 1.1.0\n\n- x\n', 'v1.2.0')).toThrow('nothing stands')
})

test('the major tag of a release is known, and what is no release has none', () => {
  expect(['v1.2.3', 'v0.1.0', 'v12.0.0'].map(majorOf)).toEqual(['v1', 'v0', 'v12'])
  for (const tag of ['1.2.3', 'v1.2', 'v1.2.3-rc.1', 'v01.2.3']) expect(() => majorOf(tag)).toThrow(tag)
})

test('the changelog of this repository has a section for the version that package.json names', () => {
  const metadata: unknown = JSON.parse(readFileSync('package.json', 'utf8'))
  const { version } = Object.assign({ version: '' }, metadata)
  expect(sectionOf(readFileSync('CHANGELOG.md', 'utf8'), `v${version}`)).not.toBe('')
})
