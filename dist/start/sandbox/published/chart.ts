import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { create } from 'tar'

/** Where a release's chart and CRDs lie, as the release's source has them. */
export interface ChartSource {
  readonly chartDir: string
  readonly crdsDir: string
  /** The chart karpenter-crd; not published when absent. */
  readonly crdChartDir?: string
}

/** A chart as it is published. */
export interface PublishedChart {
  /** Chart.yaml, parsed: the configuration of the OCI artifact. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** karpenter-1.2.1.tgz, the same bytes for the same source. */
  readonly archive: Buffer
}

/**
 * Makes the chart that Karpenter publishes for a release out of what its source holds: the source's own Chart.yaml and
 * image still name the release before, and its crds/ are links to another folder.
 */
export async function packChart(
  version: string,
  source: ChartSource,
  folder: string
): Promise<PublishedChart> {
  const staged = join(folder, `chart-${version}`)
  await rm(staged, { recursive: true, force: true })
  const root = join(staged, 'karpenter')
  const files = [
    ...(await stage(source.chartDir, root, 'karpenter')),
    ...(await stage(source.crdsDir, join(root, 'crds'), 'karpenter/crds'))
  ]
  await rewrite(join(root, 'Chart.yaml'), versionsOf(version))
  await rewrite(join(root, 'values.yaml'), [
    [/^( {4})tag: \S+$(\n.*\n {4})digest: \S+$/m, `$1tag: ${version}$2digest: ${imageDigest(version)}`]
  ])
  return packed(staged, root, files)
}

/** The chart karpenter-crd, whose CRDs are templates, as it is published for a release. */
export async function packCrdChart(
  version: string,
  chartDir: string,
  folder: string
): Promise<PublishedChart> {
  const staged = join(folder, `crd-chart-${version}`)
  await rm(staged, { recursive: true, force: true })
  const root = join(staged, 'karpenter-crd')
  const files = await stage(chartDir, root, 'karpenter-crd')
  await rewrite(join(root, 'Chart.yaml'), versionsOf(version))
  return packed(staged, root, files)
}

function versionsOf(version: string): readonly (readonly [RegExp, string])[] {
  return [
    [/^version: .*$/m, `version: ${version}`],
    [/^appVersion: .*$/m, `appVersion: ${version}`]
  ]
}

async function packed(staged: string, root: string, files: string[]): Promise<PublishedChart> {
  const metadata: unknown = load(await readFile(join(root, 'Chart.yaml'), 'utf8'))
  if (typeof metadata !== 'object' || metadata === null) {
    throw new Error(`${root}/Chart.yaml: no mapping`)
  }
  const archive = await create(
    {
      cwd: staged,
      gzip: { level: 6, portable: true },
      portable: true,
      mtime: new Date(0),
      noDirRecurse: true
    },
    files.sort()
  ).concat()
  await rm(staged, { recursive: true, force: true })
  return { metadata: { ...metadata }, archive }
}

/** Stands for the image that the release's pipeline built: no one pulls it, but charts and pods name it. */
export function imageDigest(version: string): string {
  return digestOf(Buffer.from(`public.ecr.aws/karpenter/controller:${version}`))
}

/** sha256:<hex> */
export function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

async function stage(from: string, to: string, prefix: string): Promise<string[]> {
  await mkdir(to, { recursive: true })
  const files: string[] = []
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const path = `${prefix}/${entry.name}`
    if (entry.isDirectory()) {
      files.push(...(await stage(join(from, entry.name), join(to, entry.name), path)))
    } else {
      await writeFile(join(to, entry.name), await readFile(join(from, entry.name)), { mode: 0o644 })
      files.push(path)
    }
  }
  return files
}

async function rewrite(file: string, changes: readonly (readonly [RegExp, string])[]): Promise<void> {
  let content = await readFile(file, 'utf8')
  for (const [pattern, replacement] of changes) {
    if (!pattern.test(content)) {
      throw new Error(`${file}: nothing in it matches ${pattern}; the chart has changed its form.`)
    }
    content = content.replace(pattern, replacement)
  }
  await writeFile(file, content)
}
