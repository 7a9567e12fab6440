import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'

/** Values that a label of a node can have; none: nodes of that instance type do not have the label. */
export type Labels = Readonly<Record<string, readonly string[]>>

const own = 'karpenter.k8s.aws'
const architectures: Readonly<Record<string, string>> = { x86_64: 'amd64', arm64: 'arm64' }

/**
 * Labels that the name of an instance type alone tells.
 * Source: pkg/providers/instancetype/types.go of aws/karpenter-provider-aws, 1.2.1 to 1.14.0.
 */
export function labelsOfName(type: string): Labels {
  const [family = '', size] = type.split('.')
  const [, category, , generation] = /^([a-z]+)(-[0-9]+tb)?([0-9]+).*\./.exec(type) ?? []
  return {
    'node.kubernetes.io/instance-type': [type],
    [`${own}/instance-family`]: [family],
    [`${own}/instance-size`]: listOf(size),
    [`${own}/instance-category`]: listOf(category),
    [`${own}/instance-generation`]: listOf(generation),
    [`${own}/instance-capability-flex`]: [String(family.includes('-flex'))]
  }
}

/** Labels for which ec2:DescribeInstanceTypes has to be asked; undefined for a type that Karpenter does not take. */
export function labelsOfDescription(info: InstanceTypeInfo): Labels | undefined {
  const arch = info.ProcessorInfo?.SupportedArchitectures?.map((one) => architectures[one]).find(
    (one) => one !== undefined
  )
  if (arch === undefined || info.SupportedVirtualizationTypes?.includes('hvm') === false) return undefined
  const gpus = info.GpuInfo?.Gpus ?? []
  const gpu = gpus.length === 1 ? gpus[0] : undefined
  const ebs = info.EbsInfo?.EbsOptimizedSupport === 'default' ? info.EbsInfo.EbsOptimizedInfo : undefined
  const clock = info.ProcessorInfo?.SustainedClockSpeedInGhz
  const nvme = info.InstanceStorageInfo?.NvmeSupport === 'unsupported' ? undefined : info.InstanceStorageInfo
  return {
    'kubernetes.io/arch': [arch],
    // Those of capacity reservations are of no instance type.
    'karpenter.sh/capacity-type': [
      ...(info.SupportedUsageClasses ?? []).filter((one) => one === 'on-demand' || one === 'spot'),
      'reserved'
    ],
    [`${own}/instance-cpu`]: listOf(info.VCpuInfo?.DefaultVCpus),
    [`${own}/instance-cpu-manufacturer`]: nameOf(info.ProcessorInfo?.Manufacturer),
    [`${own}/instance-cpu-sustained-clock-speed-mhz`]: listOf(
      clock === undefined ? undefined : Math.round(clock * 1000)
    ),
    [`${own}/instance-memory`]: listOf(info.MemoryInfo?.SizeInMiB),
    [`${own}/instance-ebs-bandwidth`]: listOf(ebs?.MaximumBandwidthInMbps),
    [`${own}/instance-local-nvme`]: listOf(nvme?.TotalSizeInGB),
    [`${own}/instance-hypervisor`]: [info.Hypervisor ?? ''],
    [`${own}/instance-encryption-in-transit-supported`]: [
      String(info.NetworkInfo?.EncryptionInTransitSupported ?? false)
    ],
    [`${own}/instance-gpu-name`]: nameOf(gpu?.Name),
    [`${own}/instance-gpu-manufacturer`]: nameOf(gpu?.Manufacturer),
    [`${own}/instance-gpu-count`]: listOf(gpu?.Count),
    [`${own}/instance-gpu-memory`]: listOf(gpu?.MemoryInfo?.SizeInMiB),
    ...accelerator(info)
  }
}

function accelerator({ InferenceAcceleratorInfo, NeuronInfo }: InstanceTypeInfo): Labels {
  const devices = NeuronInfo?.NeuronDevices ?? []
  const others = NeuronInfo === undefined ? (InferenceAcceleratorInfo?.Accelerators ?? []) : []
  const found =
    devices.length === 1
      ? { name: devices[0]?.Name, manufacturer: 'aws', count: devices[0]?.Count }
      : others.length === 1
        ? { name: others[0]?.Name, manufacturer: others[0]?.Manufacturer, count: others[0]?.Count }
        : undefined
  return {
    [`${own}/instance-accelerator-name`]: nameOf(found?.name),
    [`${own}/instance-accelerator-manufacturer`]: nameOf(found?.manufacturer),
    [`${own}/instance-accelerator-count`]: listOf(found?.count)
  }
}

function listOf(value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [String(value)]
}

/** `NVIDIA`, `A10G`, `T4g` as labels have them. */
function nameOf(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value.replaceAll(' ', '-').toLowerCase()]
}
