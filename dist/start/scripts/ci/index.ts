import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jestCounts } from './jest-counts.js'
import { type Counts, countsText, oneCheck, runStage, type Stage, sum } from './stage.js'

const folder = mkdtempSync(join(tmpdir(), 'setup-karpenter-ci-'))
const built = join(folder, 'dist')

function tests(title: string, script: string, limitSeconds: number): Stage {
  const file = join(folder, `${script}.json`)
  return {
    title,
    script: [script, '--', '--json', `--outputFile=${file}`],
    limitSeconds,
    count: (exitCode) => jestCounts(existsSync(file) ? readFileSync(file, 'utf8') : undefined, exitCode)
  }
}

function check(title: string, ...script: string[]): Stage {
  return { title, script, limitSeconds: 600, count: oneCheck }
}

const stages: readonly Stage[] = [
  tests('Unit tests', 'test', 900),
  check('Lint', 'lint'),
  check('Workflows', 'lint-workflows'),
  check('Types', 'types'),
  check('Build', 'build', '--', '--out', built),
  check('dist', 'check-dist', '--', '--built', built),
  // From nothing the sandbox builds its programs first.
  tests('End to end', 'e2e', 3900)
]

const counts: Counts[] = []
for (const stage of stages) counts.push(await runStage(stage))
rmSync(folder, { recursive: true, force: true })

const total = sum(counts)
console.log('')
stages.forEach((stage, index) => {
  const count = counts[index]
  if (count !== undefined) console.log(`${count.failed === 0 ? 'ok    ' : 'FAILED'} ${stage.title}`)
})
console.log(countsText(total))
if (total.failed > 0) process.exitCode = 1
