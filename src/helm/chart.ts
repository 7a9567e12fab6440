import { byText } from '../engine/order.js'
import { isMap } from '../engine/json.js'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, UserError } from '../engine/errors.js'
import { readOneYaml, readYaml } from '../engine/yaml.js'
import { isManifest, textField, type Manifest } from '../kubernetes/manifest.js'
import type { DownloadOptions } from './download.js'
import { type ChartOrigin, pullFromRegistry } from './pull.js'
import { isLoopback } from './registry.js'
import type { Helm } from './run-helm.js'

export interface Chart {
  /** What helm is given: the pulled archive, or the user's own path. */
  readonly path: string
  readonly name: string
  /** Of the chart, without v. */
  readonly version: string
  readonly appVersion: string
  /** sha256:... as the registry named it; undefined for a local chart. */
  readonly digest: string | undefined
  /** values.yaml. */
  readonly values: Readonly<Record<string, unknown>>
  readonly crds: readonly Manifest[]
  /** Undefined for a local chart, and for one that helm pulled. */
  readonly origin?: ChartOrigin
}

/** What a chart is pulled with. */
export interface ChartSource extends DownloadOptions {
  /** A folder for the archive. */
  readonly folder: string
  /** Prepared when it is first asked for. */
  readonly helm: () => Promise<Helm>
}

/** Reads the chart, pulled once from its registry or from a path, and makes sure that it is of the version asked for. */
export async function loadChart(source: ChartSource, reference: string, version: string): Promise<Chart> {
  const chart = reference.startsWith('oci://')
    ? await pullChart(source, reference, version)
    : await readChart(reference, undefined)
  if (chart.version === version) return chart
  throw new UserError(
    'chart',
    `${reference} is ${chart.name} ${chart.version}, not ${version}`,
    `Give karpenter-version: ${chart.version}, or a chart of version ${version}. The chart folder in Karpenter's repository carries an older version than its tag.`,
    { state: 'Nothing was changed.' }
  )
}

/** What the registry's API does not give is asked for once more by helm, which knows more registries and says what is amiss. */
async function pullChart(source: ChartSource, reference: string, version: string): Promise<Chart> {
  try {
    const { path, digest, origin } = await pullFromRegistry(reference, version, source)
    return { ...(await readChart(path, digest)), origin }
  } catch {
    source.signal.throwIfAborted()
    return pullByHelm(await source.helm(), reference, version)
  }
}

async function pullByHelm(helm: Helm, reference: string, version: string): Promise<Chart> {
  const loopback = isLoopback(new URL(reference.replace(/^oci:/, 'https:')).hostname)
  const output = await helm.run(
    [
      'pull',
      reference,
      '--version',
      version,
      '--destination',
      helm.folder,
      ...(loopback ? ['--plain-http'] : [])
    ],
    { subject: 'chart', fix: (stderr) => pullFix(stderr, reference, version) }
  )
  const digest = /^Digest:\s*(sha256:[0-9a-f]{64})/m.exec(`${output.stdout}\n${output.stderr}`)?.[1]
  const name = reference.replace(/\/+$/, '').split('/').at(-1) ?? 'karpenter'
  return readChart(join(helm.folder, `${name}-${version}.tgz`), digest)
}

function pullFix(stderr: string, reference: string, version: string): string {
  if (/not found|404|manifest unknown/i.test(stderr)) {
    return (
      `${reference} has no version ${version}: Karpenter's versions carry no leading v, ` +
      'and a mirror has only what was copied into it (helm pull, then helm push).'
    )
  }
  if (/403|401|forbidden|unauthorized|denied/i.test(stderr)) {
    return (
      'The registry refused an anonymous pull (logins on the runner are not used): check that the chart is public, ' +
      'or copy it to a registry or a path that the runner may read and give that as chart.'
    )
  }
  return 'Check that the runner reaches the registry (HTTPS_PROXY, NO_PROXY), or give chart a mirror (oci://...) or a path.'
}

/** Reads a chart from its folder or its archive, in memory. */
export async function readChart(path: string, digest: string | undefined): Promise<Chart> {
  let files: ReadonlyMap<string, string>
  try {
    files = (await stat(path)).isDirectory() ? await filesInFolder(path) : await filesInArchive(path)
  } catch (error) {
    throw new UserError(
      'chart',
      `${path} could not be read: ${messageOf(error)}`,
      'Give oci://... or the path of a chart.',
      {
        state: 'Nothing was changed.',
        cause: error
      }
    )
  }
  const about = readOneYaml(files.get('Chart.yaml') ?? '')
  const name = textField(about, 'name')
  const version = textField(about, 'version')
  if (name === undefined || version === undefined) {
    throw new UserError(
      'chart',
      `${path} has no Chart.yaml with a name and a version`,
      'Give the path of a helm chart.',
      {
        state: 'Nothing was changed.'
      }
    )
  }
  const values = readOneYaml(files.get('values.yaml') ?? '')
  const crds = [...files]
    .filter(([file]) => file.startsWith('crds/'))
    .sort(byText(([file]) => file))
    .flatMap(([, text]) => readYaml(text).map(({ value }) => value))
    .filter((document) => isManifest(document))
  return {
    path,
    name,
    version: version.replace(/^v/, ''),
    appVersion: textField(about, 'appVersion') ?? version,
    digest,
    values: isMap(values) ? values : {},
    crds
  }
}

const wantedFile = /^(Chart\.yaml|values\.yaml|crds\/[^/]+\.ya?ml)$/

async function filesInArchive(path: string): Promise<ReadonlyMap<string, string>> {
  // The parser alone: the package's `list` brings what unpacks and packs with it, half as much again to load.
  const { Parser } = await import('tar/parse')
  const archive = await readFile(path)
  const files = new Map<string, string>()
  const parser = new Parser({
    file: path,
    strict: true,
    onReadEntry: (entry) => {
      const inside = entry.path.replace(/^[^/]+\//, '')
      if (!wantedFile.test(inside)) {
        entry.resume()
        return
      }
      const chunks: Buffer[] = []
      entry.on('data', (chunk: Buffer) => chunks.push(chunk))
      entry.on('end', () => files.set(inside, Buffer.concat(chunks).toString('utf8')))
    }
  })
  await new Promise<void>((resolve, reject) => {
    // It speaks of each header that it cannot read, the first of which ends this.
    parser.on('error', reject).on('end', resolve)
    parser.end(archive)
  })
  return files
}

async function filesInFolder(path: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  const crds = await readdir(join(path, 'crds')).catch(() => [])
  for (const file of ['Chart.yaml', 'values.yaml', ...crds.map((name) => `crds/${name}`)]) {
    if (wantedFile.test(file)) files.set(file, await readFile(join(path, file), 'utf8').catch(() => ''))
  }
  return files
}
