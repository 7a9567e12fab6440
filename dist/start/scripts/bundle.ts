import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformSync } from 'esbuild'
import { trimmedLicenses, trimSources } from './trim-sources.js'

/** Fixed: ncc numbers modules by their paths, and dist/ must come out the same everywhere. */
const trimmed = '.trimmed'

/**
 * Bundles the action into `folder`, which is emptied first because ncc leaves the chunks of earlier builds there.
 * Returns ncc's exit code.
 */
export async function bundle(folder: string): Promise<number> {
  rmSync(folder, { recursive: true, force: true })
  try {
    const packages = await trimSources('src/index.ts', trimmed)
    const ncc = spawnSync(
      process.execPath,
      [
        'node_modules/@vercel/ncc/dist/ncc/cli.js',
        'build',
        join(trimmed, 'index.js'),
        '--out',
        folder,
        '--license',
        'licenses.txt',
        '--no-source-map-register',
        '--no-cache',
        '--quiet'
      ],
      { stdio: 'inherit' }
    )
    if (ncc.error !== undefined) throw ncc.error
    if (ncc.status !== 0) return ncc.status ?? 1
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) minify(join(folder, name))
    const licenses = join(folder, 'licenses.txt')
    writeFileSync(licenses, `${readFileSync(licenses, 'utf8')}\n${trimmedLicenses(packages)}`)
    return 0
  } finally {
    rmSync(trimmed, { recursive: true, force: true })
  }
}

/**
 * As ncc writes them an install loads twice the 3 MB that it may. ncc's own option leaves the chunks out. Licenses are in
 * licenses.txt.
 */
function minify(file: string): void {
  const { code } = transformSync(readFileSync(file, 'utf8'), {
    minify: true,
    legalComments: 'none',
    format: 'esm',
    target: 'node24'
  })
  writeFileSync(file, code)
}
