import { readFileSync } from 'node:fs'
import { format } from 'prettier'
import { isMap } from '../../src/engine/json.js'
import type { Release } from '../../src/karpenter/releases.js'
import type { Digests, Partition } from './digests.js'

export const releasesFile = 'src/karpenter/releases.generated.ts'
export const digestsFile = '__tests__/karpenter/published-digests.json'

/** Version to partition to digests; a version whose template is that of the one before it is not there. */
export type PublishedDigests = Readonly<Record<string, Readonly<Record<Partition, Digests>>>>

/** The rows as they stand in the tree, in the form in which the tree is kept. */
export async function releasesText(releases: readonly Release[], newest: readonly string[]): Promise<string> {
  const text = `import type { Release } from './releases.js'

// Written by \`npm run upstream\`.

export const rows: readonly Release[] = ${JSON.stringify(releases)}

export const patches: readonly string[] = ${JSON.stringify(newest)}
`
  return formatted(text, releasesFile)
}

export async function digestsText(digests: PublishedDigests): Promise<string> {
  return formatted(JSON.stringify(digests), digestsFile)
}

export function readDigests(): PublishedDigests {
  const value: unknown = JSON.parse(readFileSync(digestsFile, 'utf8'))
  if (!isPublished(value)) throw new Error(`${digestsFile}: run \`npm run upstream\` to make it anew`)
  return value
}

function isPublished(value: unknown): value is PublishedDigests {
  const texts = (of: unknown): boolean =>
    isMap(of) && Object.values(of).every((one) => typeof one === 'string')
  return (
    isMap(value) &&
    Object.values(value).every(
      (of) => isMap(of) && ['aws', 'aws-cn', 'aws-us-gov'].every((partition) => texts(of[partition]))
    )
  )
}

async function formatted(text: string, filepath: string): Promise<string> {
  const settings: unknown = JSON.parse(readFileSync('.prettierrc.json', 'utf8'))
  return format(text, { ...(isMap(settings) ? settings : {}), filepath })
}
