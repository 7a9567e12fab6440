import { gzipSync } from 'node:zlib'

/** A revision as helm keeps it: base64 of gzipped JSON, in the Secret's own base64. */
export function releaseSecret(
  revision: number,
  status: string,
  version: string,
  config: unknown = {},
  { manifest = '', values = {} }: { readonly manifest?: string; readonly values?: unknown } = {}
) {
  const release = {
    name: 'karpenter',
    namespace: 'karpenter',
    version: revision,
    info: { status },
    config,
    manifest,
    chart: { metadata: { name: 'karpenter', version, appVersion: version }, values }
  }
  const packed = gzipSync(JSON.stringify(release)).toString('base64')
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: { labels: { owner: 'helm', name: 'karpenter', status, version: String(revision) } },
    data: { release: Buffer.from(packed).toString('base64') }
  }
}

export function releasePath(revision: number): string {
  return `/api/v1/namespaces/karpenter/secrets/sh.helm.release.v1.karpenter.v${revision}`
}
