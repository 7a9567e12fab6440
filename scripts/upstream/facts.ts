import semver from 'semver'
import type { Release } from '../../src/karpenter/releases.js'
import type { Source } from './source.js'

/** Paths at a tag of aws/karpenter-provider-aws. */
export const paths = {
  kubernetes: 'pkg/providers/version/version.go',
  hash: 'pkg/apis/v1/ec2nodeclass.go',
  template: 'website/content/en/preview/getting-started/getting-started-with-karpenter/cloudformation.yaml',
  values: 'charts/karpenter/values.yaml',
  crds: [
    'pkg/apis/crds/karpenter.k8s.aws_ec2nodeclasses.yaml',
    'pkg/apis/crds/karpenter.sh_nodepools.yaml',
    'pkg/apis/crds/karpenter.sh_nodeclaims.yaml'
  ]
} as const

/** What a release's constants say; undefined where the source has no such file. */
export async function constantsOf(source: Source, version: string): Promise<Release | undefined> {
  const [kubernetes, hash] = await Promise.all([
    source.file(version, paths.kubernetes),
    source.file(version, paths.hash)
  ])
  if (kubernetes === undefined || hash === undefined) return undefined
  const constant = (text: string, name: string, value: RegExp): string => {
    const found = new RegExp(`^\\s*(?:const )?${name}\\s*=\\s*"(${value.source})"`, 'm').exec(text)?.[1]
    if (found === undefined) throw new Error(`${version}: its source has no constant ${name}`)
    return found
  }
  const minor = (name: string): number => Number(constant(kubernetes, name, /1\.\d+/).slice(2))
  return {
    from: version,
    kubernetes: { least: minor('MinK8sVersion'), most: minor('MaxK8sVersion') },
    nodeClassHash: constant(hash, 'EC2NodeClassHashVersion', /v\d+/)
  }
}

/** One row where something changes. Input and output ascending. */
export function rowsOf(all: readonly Release[]): readonly Release[] {
  return all.filter((one, index) => {
    const before = all[index - 1]
    return before === undefined || facts(before) !== facts(one)
  })
}

/** The newest patch of each minor, ascending. */
export function newestPatches(versions: readonly string[]): readonly string[] {
  const minor = (version: string): string => `${semver.major(version)}.${semver.minor(version)}`
  return versions.filter((version, index) => {
    const next = versions[index + 1]
    return next === undefined || minor(next) !== minor(version)
  })
}

function facts({ kubernetes, nodeClassHash }: Release): string {
  return JSON.stringify([kubernetes.least, kubernetes.most, nodeClassHash])
}
