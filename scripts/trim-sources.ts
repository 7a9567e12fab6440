import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'

/**
 * Writes what `entry` comes to into `folder`, with only so much of the packages that are ES modules as is used (of the AWS
 * clients what src/aws/sdk names, of the toolkit all but undici), for ncc to bundle: whole, the EC2 client alone is 1 MB,
 * and an install would need 40 MB more memory to load it. ncc itself does not trim. Returns the names of the packages that
 * stand in `folder`.
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
    plugins: [chainWhenAsked, trimmedPackages, withoutUndici, plainKeys],
    metafile: true,
    logLevel: 'warning'
  })
  const names = Object.keys(metafile.inputs).flatMap((path) => packagePath.exec(path)?.[1] ?? [])
  return [...new Set(names)].sort()
}

/** The part of licenses.txt, in ncc's form, of packages that ncc does not see. Some publish no file of it. */
export function trimmedLicenses(packages: readonly string[]): string {
  return packages
    .map((name) => {
      const folder = join('node_modules', name)
      const about: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      const license = typeof about === 'object' && about !== null && 'license' in about ? about.license : ''
      const file = readdirSync(folder).find((each) => /^licen[cs]e(\.md|\.txt)?$/i.test(each))
      return [
        name,
        String(license),
        ...(file === undefined ? [] : [readFileSync(join(folder, file), 'utf8')])
      ]
    })
    .map((lines) => lines.join('\n'))
    .join('\n')
}

const packagePath = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//

/**
 * All other packages are left to ncc: of CommonJS nothing can be left out, and outside of its package ncc takes what
 * `@actions/exec` says of the working folder for files to bring along.
 */
const trimmedPackages: Plugin = {
  name: 'trimmed-packages',
  setup: (esbuild) => {
    esbuild.onResolve({ filter: /^[^./]/ }, ({ kind, path }) =>
      kind === 'entry-point' || trimmed.test(path) ? undefined : { path, external: true }
    )
  }
}

const trimmed =
  /^(@(actions\/(core|http-client|tool-cache)|aws|aws-crypto|aws-sdk|marcbachmann|smithy)(\/|$)|(js-yaml|tslib|undici)$)/

/**
 * A third of what is loaded at the start, and of it `@actions/http-client` (4.0.1) uses ProxyAgent alone, for
 * `getAgentDispatcher`, which nobody calls: neither we nor the toolkit's own packages, whose proxies are of `tunnel`.
 */
const withoutUndici: Plugin = {
  name: 'without-undici',
  setup: (esbuild) => {
    esbuild.onResolve({ filter: /^undici$/ }, ({ path }) => ({ path, namespace: 'left-out' }))
    esbuild.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: `export class ProxyAgent { constructor() { throw new Error('${path} is not part of the bundle') } }`
    }))
  }
}

/**
 * Each client brings the standard chain of credentials with it, for a client that is made without any. Ours are made with
 * those of the run, so the chain is loaded where it is asked for, as src/aws/credentials.ts does.
 */
const chainWhenAsked: Plugin = {
  name: 'chain-when-asked',
  setup: (esbuild) => {
    esbuild.onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, ({ path, importer, kind }) =>
      kind === 'import-statement' && importer.includes('/@aws-sdk/client-')
        ? { path, namespace: 'when-asked' }
        : undefined
    )
    esbuild.onLoad({ filter: /.*/, namespace: 'when-asked' }, ({ path }) => ({
      contents: `export const defaultProvider = (init) => {
        let provider
        return async (...asked) => (provider ??= (await import('${path}')).defaultProvider(init))(...asked)
      }`,
      resolveDir: process.cwd()
    }))
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
