import { kubernetesMinor } from '../../karpenter/versions.js'
import { listField, type Manifest, textField } from '../../kubernetes/manifest.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'

type AmiAliasFacts = Pick<Facts, 'nodeClasses' | 'kubernetes' | 'published'>

/** AWS publishes AL2 images for Kubernetes up to 1.32. */
const lastMinorOfAl2 = 32

/** Aliases of images that there are none of: the EC2NodeClass would never be Ready, and no node would start. */
export async function amiAlias(facts: AmiAliasFacts): Promise<readonly Concern[]> {
  return (await Promise.all(aliasesOf(facts.nodeClasses).map(async (one) => check(one, facts)))).flat()
}

interface Alias {
  readonly alias: string
  readonly family: string
  /** `latest`, `v20260915`, `v1.52.0` */
  readonly release: string
  /** Names of EC2NodeClasses that have it. */
  readonly nodeClasses: readonly string[]
}

function aliasesOf(nodeClasses: readonly Manifest[]): readonly Alias[] {
  const byAlias = new Map<string, string[]>()
  for (const nodeClass of nodeClasses) {
    for (const term of listField(nodeClass, 'spec', 'amiSelectorTerms')) {
      const alias = textField(term, 'alias')
      if (alias !== undefined) byAlias.set(alias, [...(byAlias.get(alias) ?? []), nodeClass.metadata.name])
    }
  }
  return [...byAlias].map(([alias, names]) => {
    const [family = '', release = ''] = alias.split('@')
    return { alias, family: family.toLowerCase(), release, nodeClasses: names }
  })
}

async function check(alias: Alias, { kubernetes, published }: AmiAliasFacts): Promise<Concern[]> {
  const finding = (level: Concern['level'], problem: string, evidence: string, fix: string): Concern => ({
    level,
    subject: 'node-pools',
    problem: `EC2NodeClass ${alias.nodeClasses.join(', ')}: ${problem}`,
    evidence,
    fix
  })
  if (alias.family === 'al2' && kubernetesMinor(kubernetes) > lastMinorOfAl2) {
    return [
      finding(
        'error',
        `alias ${alias.alias}: AWS publishes no AL2 images for Kubernetes ${kubernetes}`,
        `the last is 1.${lastMinorOfAl2}`,
        'Use `alias: al2023@latest` or `bottlerocket@latest`; user data of AL2 does not work there as it is.'
      )
    ]
  }
  // The newest release of a family is there as long as the family is; Windows images have no other.
  if (alias.release === 'latest' && !alias.family.startsWith('windows')) return []
  const names = parametersOf(alias, kubernetes)
  if (names.length === 0) return []
  const found = await published(names)
  if (found === 'denied') {
    return [
      finding(
        'note',
        `whether ${alias.alias} is published for Kubernetes ${kubernetes} could not be read`,
        "the run's role may not call ssm:GetParameters",
        'Allow it on the public parameters below /aws/service to have this looked at.'
      )
    ]
  }
  if (found.length > 0) return []
  return [
    finding(
      'error',
      `alias ${alias.alias}: AWS has published no such image for Kubernetes ${kubernetes}`,
      `there is no SSM parameter ${names.join(', ')}`,
      alias.release === 'latest'
        ? `Use another family, or a Kubernetes that has it.`
        : `Use \`${alias.family}@latest\`, or a release that is there: aws ssm get-parameters-by-path --recursive --path ${folderOf(names[0] ?? '')}`
    )
  ]
}

/**
 * Names of the SSM parameters that Karpenter asks for; it needs one of them. Source: pkg/providers/amifamily of
 * aws/karpenter-provider-aws, 1.2.1 to 1.14.0.
 */
export function parametersOf(
  { family, release }: Pick<Alias, 'family' | 'release'>,
  kubernetes: string
): string[] {
  const optimized = `/aws/service/eks/optimized-ami/${kubernetes}`
  switch (family) {
    case 'al2':
      return [
        ['amazon-linux-2', 'amazon-eks-node'],
        ['amazon-linux-2-arm64', 'amazon-eks-arm64-node'],
        ['amazon-linux-2-gpu', 'amazon-eks-gpu-node']
      ].map(
        ([folder = '', prefix = '']) =>
          `${optimized}/${folder}/${release === 'latest' ? 'recommended' : `${prefix}-${kubernetes}-${release}`}/image_id`
      )
    case 'al2023':
      return ['x86_64/standard', 'x86_64/nvidia', 'x86_64/neuron', 'arm64/standard', 'arm64/nvidia'].map(
        (variant) =>
          `${optimized}/amazon-linux-2023/${variant}/${
            release === 'latest'
              ? 'recommended'
              : `amazon-eks-node-al2023-${variant.replace('/', '-')}-${kubernetes}-${release}`
          }/image_id`
      )
    case 'bottlerocket':
      return ['', '-nvidia'].flatMap((variant) =>
        ['x86_64', 'arm64'].map(
          (architecture) =>
            `/aws/service/bottlerocket/aws-k8s-${kubernetes}${variant}/${architecture}/${release.replace(/^v/, '')}/image_id`
        )
      )
    default:
      return /^windows20\d\d$/.test(family)
        ? [
            `/aws/service/ami-windows-latest/Windows_Server-${family.slice('windows'.length)}-English-Core-EKS_Optimized-${kubernetes}/image_id`
          ]
        : []
  }
}

function folderOf(parameter: string): string {
  return parameter.split('/').slice(0, -2).join('/')
}
