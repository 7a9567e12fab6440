import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { record } from '../../sandbox/values.js'
import { testedPatches } from '../../src/karpenter/releases.js'
import { builtInTemplate } from '../../src/karpenter/template-built-in.js'

/** One operation that src/ can call. */
export interface Operation {
  /** The client's file: iam, eventbridge. */
  readonly service: string
  /** CreateRole */
  readonly name: string
}

/** Every operation that src/ can call, each once: dist/ gets no more of the clients than the files of src/aws/sdk name. */
export const operations: readonly Operation[] = readdirSync('src/aws/sdk').flatMap((file) => {
  const names = readFileSync(`src/aws/sdk/${file}`, 'utf8').matchAll(
    /\b(?:paginate(?<paged>[A-Z]\w+)|(?<sent>[A-Z]\w+)Command)\b/g
  )
  const own = [...names].map(({ groups }) => groups?.['paged'] ?? groups?.['sent'] ?? '')
  return [...new Set(own)].map((name) => ({ service: basename(file, '.ts'), name }))
})

/** What the guide's script calls besides, by awscli and eksctl: `npm run bench -- versus` runs it on the sandbox. */
export const ofTheGuide: readonly Operation[] = [
  { service: 'cloudformation', name: 'GetTemplateSummary' },
  { service: 'eks', name: 'DescribeClusterVersions' }
]

/** Every resource type of the template of a tested version. */
export const templateTypes: readonly string[] = [
  ...new Set(
    testedPatches.flatMap((version) =>
      Object.values(record(record(builtInTemplate(version))['Resources'])).map((resource) =>
        String(record(resource)['Type'])
      )
    )
  )
].sort()
