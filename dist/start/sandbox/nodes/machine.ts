import { record, list, text } from '../values.js'

/** What a node of an instance type has. */
export interface Machine {
  readonly architecture: 'amd64' | 'arm64'
  readonly cpus: number
  readonly memoryMiB: number
  /** Addresses that the VPC CNI can give: interfaces times (addresses - 1), and 2. */
  readonly maxPods: number
}

/** Reads one entry of DescribeInstanceTypes (EC2's own field names). */
export function machineOf(instanceType: Readonly<Record<string, unknown>>): Machine {
  const cpus = Number(text(record(instanceType['vCpuInfo'])['defaultVCpus']) ?? '2')
  const memoryMiB = Number(text(record(instanceType['memoryInfo'])['sizeInMiB']) ?? '4096')
  const network = record(instanceType['networkInfo'])
  const interfaces = Number(text(network['maximumNetworkInterfaces']) ?? '3')
  const addresses = Number(text(network['ipv4AddressesPerInterface']) ?? '10')
  const supported = record(instanceType['processorInfo'])['supportedArchitectures']
  const wrapped = record(supported)['item']
  const names = [...list(supported), ...list(wrapped), wrapped].flatMap((one) => text(one) ?? [])
  return {
    architecture: names.includes('arm64') ? 'arm64' : 'amd64',
    cpus,
    memoryMiB,
    maxPods: interfaces * (addresses - 1) + 2
  }
}

/** Capacity and allocatable, with what the EKS images reserve (kube-reserved by pods, and 100Mi for eviction). */
export function resourcesOf(
  machine: Machine,
  maxPods: number
): {
  readonly capacity: Readonly<Record<string, string>>
  readonly allocatable: Readonly<Record<string, string>>
} {
  // The hypervisor and the kernel keep some 3 % of what EC2 says.
  const memory = Math.floor(machine.memoryMiB * 0.97)
  const fixed = {
    'ephemeral-storage': '20959212Ki',
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    pods: String(maxPods)
  }
  return {
    capacity: { ...fixed, cpu: String(machine.cpus), memory: `${memory * 1024}Ki` },
    allocatable: {
      ...fixed,
      'ephemeral-storage': '18242267924',
      cpu: `${machine.cpus * 1000 - reservedCpu(machine.cpus)}m`,
      memory: `${(memory - 255 - 11 * maxPods - 100) * 1024}Ki`
    }
  }
}

/** 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest, in thousandths. */
function reservedCpu(cpus: number): number {
  let reserved = 0
  for (let core = 0; core < cpus; core++) {
    reserved += core === 0 ? 60 : core === 1 ? 10 : core < 4 ? 5 : 2.5
  }
  return Math.ceil(reserved)
}
