import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { newest, type Built, type BuiltKarpenter } from '../build/index.js'
import type { Release } from '../published/index.js'
import { laterFiles, upstreamFilesOf } from '../published/upstream-files.js'
import type { LaterRelease } from './spec.js'

/** What is published: each release that was built, and the later one where there is one. */
export async function releasesOf(
  built: Built['karpenter'],
  later: LaterRelease | undefined
): Promise<ReadonlyMap<string, Release>> {
  const releases = new Map<string, Release>()
  for (const [version, karpenter] of built) {
    releases.set(version, await releaseOf(version, karpenter))
  }
  const base = releases.get(newest)
  if (later !== undefined && base !== undefined) {
    releases.set(later.version, { ...base, files: laterFiles(base.files, later.version, later) })
  }
  return releases
}

async function releaseOf(version: string, karpenter: BuiltKarpenter): Promise<Release> {
  return {
    chart: karpenter,
    files: await upstreamFilesOf(karpenter.sourceDir, builtInTemplateText(version))
  }
}
