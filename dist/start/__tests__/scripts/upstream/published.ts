import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { builtInTemplateText } from '../../../src/karpenter/template-built-in.js'
import { upstreamPath } from '../../../src/karpenter/template.js'

export type Files = Readonly<Record<string, string>>

/** A version's files, as upstream has them at its tag. */
export function filesOf(most: number, hash: string, more: Files = {}): Files {
  return {
    'pkg/providers/version/version.go': `package version\n\nconst (\n\tMinK8sVersion = "1.26"\n\tMaxK8sVersion = "1.${most}"\n)\n`,
    'pkg/apis/v1/ec2nodeclass.go': `package v1\n\nconst EC2NodeClassHashVersion = "${hash}"\n`,
    [upstreamPath]: builtInTemplateText('1.14.0'),
    ...more
  }
}

export function write(folder: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

/** A git repository with a commit and a tag for each, in the order given. */
export function repositoryOf(tags: Readonly<Record<string, Files>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'upstream-'))
  const git = (...args: readonly string[]): void =>
    void execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd: folder
    })
  git('init', '--quiet')
  git('config', 'uploadpack.allowFilter', 'true')
  for (const [tag, files] of Object.entries(tags)) {
    write(folder, files)
    git('add', '--all')
    git('commit', '--quiet', '--allow-empty', '--message', tag)
    git('tag', tag)
  }
  return folder
}
