import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'

/**
 * Writes what `entry` comes to into `folder`, with only so much of the AWS clients as src/aws/sdk names, for ncc to bundle:
 * whole, the EC2 client alone is 1 MB, and an install would need 40 MB more memory to load it. ncc itself does not trim.
 * Returns the names of the clients.
 */
export async function trimSources(entry: string, folder: string): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: [entry],
    outdir: folder,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // The clients' main fields name CommonJS, of which nothing can be left out.
    mainFields: ['module', 'main'],
    plugins: [onlyClients, plainKeys],
    metafile: true,
    logLevel: 'warning'
  })
  const names = Object.keys(metafile.inputs).flatMap((path) => clientPath.exec(path)?.[1] ?? [])
  return [...new Set(names)].sort()
}

/** The clients' part of licenses.txt, in ncc's form, which does not see them. */
export function clientLicenses(clients: readonly string[]): string {
  return clients
    .map((name) => {
      const folder = join('node_modules', name)
      const about: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      const license = typeof about === 'object' && about !== null && 'license' in about ? about.license : ''
      return `${name}\n${String(license)}\n${readFileSync(join(folder, 'LICENSE'), 'utf8')}`
    })
    .join('\n')
}

const clientPath = /node_modules\/(@aws-sdk\/client-[a-z0-9-]+)\//

/** All other packages are left to ncc. */
const onlyClients: Plugin = {
  name: 'only-clients',
  setup: (esbuild) => {
    esbuild.onResolve({ filter: /^[^./]/ }, ({ kind, path }) =>
      kind === 'entry-point' || path.startsWith('@aws-sdk/client-') ? undefined : { path, external: true }
    )
  }
}

/** `[_a]: 1` as `"A": 1`: of a schema whose keys are variables esbuild cannot tell that nobody misses it. */
const plainKeys: Plugin = {
  name: 'plain-keys',
  setup: (esbuild) => {
    esbuild.onLoad({ filter: /client-[a-z0-9-]+\/dist-es\/schemas\/schemas_\d+\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      const constants = new Map(
        [...source.matchAll(/^const (_\w+) = ("[^"\\]*");$/gm)].map(([, name = '', text = '']) => [
          name,
          text
        ])
      )
      const contents = source.replaceAll(/\[(_\w+)\]:/g, (key, name: string) =>
        constants.has(name) ? `${constants.get(name) ?? ''}:` : key
      )
      return { contents, loader: 'js' }
    })
  }
}
