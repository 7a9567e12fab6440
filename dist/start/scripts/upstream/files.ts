import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { isMap } from '../../src/engine/json.js'
import { releases, testedPatches } from '../../src/karpenter/releases.js'
import type { DigestRow } from './digests.js'
import type { Generated } from './renew.js'

const releasesPath = 'src/karpenter/releases.generated.ts'
const digestsPath = '__tests__/karpenter/upstream-digests.json'

export function readGenerated(): Generated {
  return { releases, testedPatches, digests: readDigests() }
}

/** Digests of upstream's templates, as `npm run upstream` last wrote them. */
export function readDigests(): readonly DigestRow[] {
  const rows: unknown = JSON.parse(readFileSync(digestsPath, 'utf8'))
  if (!Array.isArray(rows) || !rows.every(isDigestRow))
    throw new Error(`${digestsPath} has other rows than digests`)
  return rows
}

function isDigestRow(row: unknown): row is DigestRow {
  return (
    isMap(row) &&
    typeof row['from'] === 'string' &&
    typeof row['source'] === 'string' &&
    isMap(row['changes']) &&
    Object.values(row['changes']).every((change) => change === null || isMap(change))
  )
}

/** Writes what differs; its paths. */
export async function writeGenerated({
  releases: rows,
  testedPatches: patches,
  digests
}: Generated): Promise<readonly string[]> {
  const table = `// Written by \`npm run upstream\`.
export const releases = ${JSON.stringify(rows)}
export const testedPatches = ${JSON.stringify(patches)}
`
  const texts = [
    [releasesPath, await formatted(releasesPath, table.replaceAll(/"(\w+)":/g, '$1:'))],
    [digestsPath, await formatted(digestsPath, JSON.stringify(digests, undefined, 2))]
  ] as const
  const changed = texts.filter(([path, text]) => readFileSync(path, 'utf8') !== text)
  for (const [path, text] of changed) writeFileSync(path, text)
  return changed.map(([path]) => path)
}

async function formatted(path: string, text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(path)), filepath: path })
}
