import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundle } from './bundle.js'
import { differingFiles } from './compare-folders.js'

/** Compares dist/ with what its sources come to. `--built` names a folder that was built a moment ago. */
function checkDist(built: string): number {
  if (!existsSync('dist')) {
    console.error('dist: it is not there. Run `npm run build` and commit dist/.')
    return 1
  }
  const differences = differingFiles(built, 'dist')
  if (differences.length === 0) {
    console.log('dist: equal to what the sources come to.')
    return 0
  }
  console.error(`dist: it is not what the sources come to. Run \`npm run build\` and commit dist/.`)
  for (const difference of differences) console.error(`  dist/${difference}`)
  return 1
}

const { values } = parseArgs({ options: { built: { type: 'string' } } })
if (values.built !== undefined) {
  process.exitCode = checkDist(values.built)
} else {
  const folder = mkdtempSync(join(tmpdir(), 'setup-karpenter-dist-'))
  process.exitCode = (await bundle(folder)) || checkDist(folder)
  rmSync(folder, { recursive: true, force: true })
}
