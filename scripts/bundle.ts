import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'

/**
 * Bundles the action into `folder`, which is emptied first because ncc leaves the chunks of earlier builds there.
 * Returns ncc's exit code.
 */
export function bundle(folder: string): number {
  rmSync(folder, { recursive: true, force: true })
  const ncc = spawnSync(
    process.execPath,
    [
      'node_modules/@vercel/ncc/dist/ncc/cli.js',
      'build',
      'src/index.ts',
      '--out',
      folder,
      '--license',
      'licenses.txt',
      '--no-source-map-register',
      '--no-cache'
    ],
    { stdio: 'inherit' }
  )
  if (ncc.error !== undefined) throw ncc.error
  return ncc.status ?? 1
}
