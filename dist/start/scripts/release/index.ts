import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { majorOf, releaseNotes } from './notes.js'

// npm run --silent release-notes -- v1.2.3: what the release says, from the changelog and the commits since the one before.
const [tag = `v${packageVersion()}`] = process.argv.slice(2)
majorOf(tag)
if (tag !== `v${packageVersion()}`)
  throw new Error(`package.json: its version is ${packageVersion()}, and the tag is ${tag}`)
const tags = git('tag', '--sort=-v:refname', '--list', 'v*.*.*').filter((one) => one !== tag)
const [previous] = tags
const range = previous === undefined ? 'HEAD' : `${previous}..HEAD`
const { GITHUB_SERVER_URL: server = 'https://github.com', GITHUB_REPOSITORY: name = 'org/setup-karpenter' } =
  process.env
console.log(
  releaseNotes({
    tag,
    previous,
    commits: git('log', '--no-merges', '--format=%H %s', range).map((line) => ({
      hash: line.slice(0, 40),
      subject: line.slice(41)
    })),
    repository: `${server}/${name}`,
    changelog: readFileSync('CHANGELOG.md', 'utf8')
  })
)

function git(...args: readonly string[]): readonly string[] {
  const { status, stdout, stderr } = spawnSync('git', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (status !== 0) throw new Error(`git ${args[0] ?? ''}: ${stderr}`)
  return stdout.split('\n').filter((line) => line !== '')
}

function packageVersion(): string {
  const metadata: unknown = JSON.parse(readFileSync('package.json', 'utf8'))
  if (typeof metadata === 'object' && metadata !== null && 'version' in metadata)
    return String(metadata.version)
  throw new Error('package.json has no version')
}
