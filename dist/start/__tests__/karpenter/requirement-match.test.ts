import { labelsOfDescription, labelsOfName } from '../../src/karpenter/instance-labels.js'
import { left, met, requirementsOf, requirementText } from '../../src/karpenter/requirement-match.js'

describe('left', () => {
  it.each<[string, readonly string[], readonly string[], readonly string[] | undefined]>([
    ['In', ['a', 'b'], ['b', 'c'], ['b']],
    ['In', [], ['b'], undefined],
    ['NotIn', ['a', 'b'], ['b'], ['a']],
    ['NotIn', ['b'], ['b'], undefined],
    ['NotIn', [], ['b'], []],
    ['Exists', ['a'], [], ['a']],
    ['Exists', [], [], undefined],
    ['DoesNotExist', [], [], []],
    ['DoesNotExist', ['a'], [], undefined],
    ['Gt', ['4', '8'], ['4'], ['8']],
    ['Gte', ['4', '8'], ['4'], ['4', '8']],
    ['Lt', ['4', '8'], ['8'], ['4']],
    ['Lte', ['4', '8'], ['3'], undefined],
    ['Gt', [], ['1'], undefined],
    ['Whatever', ['a'], ['b'], ['a']]
  ])('%s of %j with %j', (operator, values, wanted, kept) => {
    expect(left(values, { key: 'k', operator, values: wanted })).toEqual(kept)
  })
})

describe('met', () => {
  const requirement = (key: string, operator: string, ...values: string[]) => ({ key, operator, values })

  it('counts to the first that excludes all values that those before have left', () => {
    const labels = { zone: ['a', 'b'], cpu: ['4'] }
    const all = [
      requirement('team', 'In', 'web'),
      requirement('zone', 'In', 'a', 'c'),
      requirement('zone', 'NotIn', 'a'),
      requirement('cpu', 'Gt', '8')
    ]
    expect(met(labels, all)).toBe(2)
    expect(met(labels, all.slice(0, 2))).toBe(2)
  })
})

describe('requirementsOf', () => {
  it("takes the template's labels for requirements as well", () => {
    const nodePool = {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { name: 'a' },
      spec: {
        template: {
          metadata: { labels: { team: 'web' } },
          spec: {
            requirements: [
              { key: 'k', operator: 'Gt', values: [1] },
              { key: 'e', operator: 'Exists' }
            ]
          }
        }
      }
    }
    const found = requirementsOf(nodePool)
    expect(found.map(requirementText)).toEqual(['k Gt 1', 'e Exists', 'team In web'])
  })
})

describe('labels of an instance type', () => {
  const short = (labels: Readonly<Record<string, readonly string[]>> | undefined): unknown =>
    Object.fromEntries(
      Object.entries(labels ?? {}).map(([key, values]) => [
        key.replace('karpenter.k8s.aws/instance-', ''),
        values
      ])
    )

  it.each([
    { type: 'm6i.4xlarge', category: 'm', generation: '6', family: 'm6i', size: '4xlarge', flex: 'false' },
    {
      type: 'u-6tb1.112xlarge',
      category: 'u',
      generation: '1',
      family: 'u-6tb1',
      size: '112xlarge',
      flex: 'false'
    },
    {
      type: 'c7i-flex.large',
      category: 'c',
      generation: '7',
      family: 'c7i-flex',
      size: 'large',
      flex: 'true'
    }
  ])('by its name: $type', ({ type, category, generation, family, size, flex }) => {
    expect(short(labelsOfName(type))).toEqual({
      'node.kubernetes.io/instance-type': [type],
      category: [category],
      generation: [generation],
      family: [family],
      size: [size],
      'capability-flex': [flex]
    })
  })

  it('by what EC2 says of it', () => {
    const labels = labelsOfDescription({
      InstanceType: 'g5g.xlarge',
      ProcessorInfo: {
        SupportedArchitectures: ['arm64'],
        Manufacturer: 'AWS',
        SustainedClockSpeedInGhz: 2.5
      },
      SupportedUsageClasses: ['on-demand', 'spot', 'capacity-block'],
      SupportedVirtualizationTypes: ['hvm'],
      VCpuInfo: { DefaultVCpus: 4 },
      MemoryInfo: { SizeInMiB: 8192 },
      Hypervisor: 'nitro',
      NetworkInfo: { EncryptionInTransitSupported: true },
      EbsInfo: { EbsOptimizedSupport: 'default', EbsOptimizedInfo: { MaximumBandwidthInMbps: 3500 } },
      GpuInfo: { Gpus: [{ Name: 'T4g', Manufacturer: 'NVIDIA', Count: 1, MemoryInfo: { SizeInMiB: 16384 } }] }
    })
    expect(short(labels)).toEqual({
      'kubernetes.io/arch': ['arm64'],
      'karpenter.sh/capacity-type': ['on-demand', 'spot', 'reserved'],
      cpu: ['4'],
      'cpu-manufacturer': ['aws'],
      'cpu-sustained-clock-speed-mhz': ['2500'],
      memory: ['8192'],
      'ebs-bandwidth': ['3500'],
      'local-nvme': [],
      hypervisor: ['nitro'],
      'encryption-in-transit-supported': ['true'],
      'gpu-name': ['t4g'],
      'gpu-manufacturer': ['nvidia'],
      'gpu-count': ['1'],
      'gpu-memory': ['16384'],
      'accelerator-name': [],
      'accelerator-manufacturer': [],
      'accelerator-count': []
    })
  })

  it('has the accelerators of AWS under their own names, and none for what Karpenter does not take', () => {
    const info = { ProcessorInfo: { SupportedArchitectures: ['x86_64' as const] } }
    const neuron = labelsOfDescription({
      ...info,
      NeuronInfo: { NeuronDevices: [{ Name: 'Inferentia2', Count: 6 }] },
      InferenceAcceleratorInfo: { Accelerators: [{ Name: 'Inferentia', Manufacturer: 'AWS', Count: 6 }] }
    })
    expect(short(neuron)).toMatchObject({
      'accelerator-name': ['inferentia2'],
      'accelerator-manufacturer': ['aws'],
      'accelerator-count': ['6']
    })
    expect(labelsOfDescription({ ProcessorInfo: { SupportedArchitectures: ['arm64_mac'] } })).toBeUndefined()
    expect(labelsOfDescription({ ...info, SupportedVirtualizationTypes: ['paravirtual'] })).toBeUndefined()
  })
})
