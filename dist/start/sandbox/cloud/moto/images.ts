import { createHash } from 'node:crypto'

/** An AMI as EC2 describes it and as its SSM parameters name it. */
export interface Image {
  readonly id: string
  readonly name: string
  readonly architecture: 'x86_64' | 'arm64'
  /** ISO 8601 */
  readonly createdAt: string
  readonly rootDevice: string
  /** SSM parameters whose value is this image's id. */
  readonly parameters: readonly string[]
}

/** Releases that the sandbox has of every family, oldest first; `latest` is the last. */
const imageReleases = ['20250116', '20250519', '20260915', '20261103'] as const

const kubernetesMinors = Array.from({ length: 8 }, (_, index) => `1.${29 + index}`)
/** EKS publishes no AL2 images from Kubernetes 1.33 on. */
const lastMinorOfAl2 = 32

const al2023 = [
  ['x86_64', 'standard'],
  ['x86_64', 'nvidia'],
  ['x86_64', 'neuron'],
  ['arm64', 'standard'],
  ['arm64', 'nvidia']
] as const

const al2 = [
  ['x86_64', 'amazon-linux-2', 'amazon-eks-node'],
  ['x86_64', 'amazon-linux-2-gpu', 'amazon-eks-gpu-node'],
  ['arm64', 'amazon-linux-2-arm64', 'amazon-eks-arm64-node']
] as const

/** Bottlerocket counts versions; one for each release. */
const bottlerocketVersions = ['1.30.0', '1.39.0', '1.52.0', '1.54.0'] as const

/**
 * The EKS-optimised images of Amazon Linux 2023, Amazon Linux 2 and Bottlerocket, with the parameter paths that
 * Karpenter 1.2.1 to 1.15.2 asks for (pkg/providers/amifamily).
 */
export const images: readonly Image[] = kubernetesMinors.flatMap((minor) =>
  imageReleases.flatMap((release, index) => {
    const newest = index === imageReleases.length - 1
    const created = `${release.slice(0, 4)}-${release.slice(4, 6)}-${release.slice(6)}T00:00:00.000Z`
    const ofAl2023 = al2023.map(([architecture, variant]) => {
      const name = `amazon-eks-node-al2023-${architecture}-${variant}-${minor}-v${release}`
      const folder = `/aws/service/eks/optimized-ami/${minor}/amazon-linux-2023/${architecture}/${variant}`
      return image(name, architecture, created, '/dev/xvda', [
        `${folder}/${name}`,
        ...(newest ? [`${folder}/recommended`] : [])
      ])
    })
    const ofAl2 = al2.map(([architecture, family, prefix]) => {
      const name = `${prefix}-${minor}-v${release}`
      const folder = `/aws/service/eks/optimized-ami/${minor}/${family}`
      return image(name, architecture, created, '/dev/xvda', [
        `${folder}/${name}`,
        ...(newest ? [`${folder}/recommended`] : [])
      ])
    })
    const version = bottlerocketVersions[index] ?? ''
    const ofBottlerocket = (['', '-nvidia'] as const).flatMap((variant) =>
      (['x86_64', 'arm64'] as const).map((architecture) => {
        const name = `bottlerocket-aws-k8s-${minor}${variant}-${architecture}-v${version}`
        const folder = `/aws/service/bottlerocket/aws-k8s-${minor}${variant}/${architecture}`
        return image(name, architecture, created, '/dev/xvda', [
          `${folder}/${version}`,
          ...(newest ? [`${folder}/latest`] : [])
        ])
      })
    )
    return [...ofAl2023, ...(Number(minor.slice(2)) <= lastMinorOfAl2 ? ofAl2 : []), ...ofBottlerocket]
  })
)

function image(
  name: string,
  architecture: Image['architecture'],
  createdAt: string,
  rootDevice: string,
  parameters: readonly string[]
): Image {
  return {
    id: `ami-${createHash('sha256').update(name).digest('hex').slice(0, 17)}`,
    name,
    architecture,
    createdAt,
    rootDevice,
    parameters: parameters.map((parameter) => `${parameter}/image_id`)
  }
}

/** The images in the form of moto's MOTO_AMIS_PATH file. */
export function imagesFile(): string {
  return JSON.stringify(
    images.map(({ id, name, architecture, createdAt, rootDevice }) => ({
      ami_id: id,
      state: 'available',
      public: true,
      owner_id: '602401143452',
      image_location: `amazon/${name}`,
      sriov: 'simple',
      root_device_type: 'ebs',
      root_device_name: rootDevice,
      description: name,
      image_type: 'machine',
      architecture,
      name,
      creation_date: createdAt,
      virtualization_type: 'hvm',
      hypervisor: 'xen'
    }))
  )
}
