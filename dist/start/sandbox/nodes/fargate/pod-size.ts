import { list, record, text } from '../../values.js'
import { quantityOf } from '../quantities.js'

/** What Fargate provisions for a pod. */
export interface PodSize {
  readonly cpus: number
  readonly memoryGiB: number
}

const range = (from: number, to: number, step: number): readonly number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step)

/** Combinations on offer (Amazon EKS user guide, Fargate pod configuration). */
const sizes: readonly (readonly [cpus: number, memoryGiB: readonly number[]])[] = [
  [0.25, [0.5, 1, 2]],
  [0.5, range(1, 4, 1)],
  [1, range(2, 8, 1)],
  [2, range(4, 16, 1)],
  [4, range(8, 30, 1)],
  [8, range(16, 60, 4)],
  [16, range(32, 120, 8)]
]
/** For the kubelet and what else Kubernetes runs beside the pod. */
const ownMemoryGiB = 0.25

/** The smallest combination that holds the pod; undefined when none does. */
export function sizeOf(pod: Readonly<Record<string, unknown>>): PodSize | undefined {
  const spec = record(pod['spec'])
  const asked = (kind: 'containers' | 'initContainers', resource: string): readonly number[] =>
    list(spec[kind]).map((container) => {
      const { requests, limits } = record(record(container)['resources'])
      return quantityOf(text(record(requests)[resource]) ?? text(record(limits)[resource]) ?? '0')
    })
  const needed = (resource: string): number =>
    Math.max(
      asked('containers', resource).reduce((sum, one) => sum + one, 0),
      ...asked('initContainers', resource)
    )
  const memory = needed('memory') / 2 ** 30 + ownMemoryGiB
  for (const [cpus, memories] of sizes) {
    const memoryGiB = memories.find((one) => one >= memory)
    if (cpus >= needed('cpu') && memoryGiB !== undefined) return { cpus, memoryGiB }
  }
  return undefined
}

/** Why Fargate does not run a pod, as its scheduler says it; undefined when it does (user guide, considerations). */
export function unsupported(pod: Readonly<Record<string, unknown>>): string | undefined {
  const spec = record(pod['spec'])
  const containers = [...list(spec['containers']), ...list(spec['initContainers'])].map(record)
  const ports = containers.flatMap((container) => list(container['ports'])).map(record)
  const fields = [
    ...(['hostNetwork', 'hostPID', 'hostIPC'] as const)
      .filter((name) => spec[name] === true)
      .map((name) => name.charAt(0).toUpperCase() + name.slice(1)),
    ...(ports.some((port) => port['hostPort'] !== undefined || port['hostIP'] !== undefined)
      ? ['port contains HostIP or HostPort']
      : [])
  ]
  const privileged = containers.filter(
    (container) => record(container['securityContext'])['privileged'] === true
  )
  const volumes = list(spec['volumes'])
    .map(record)
    .filter((volume) => volume['hostPath'] !== undefined)
    .map((volume) => `${text(volume['name']) ?? ''} is of an unsupported volume Type`)
  const reasons = [
    ...(fields.length === 0 ? [] : [`fields not supported: ${fields.join(', ')}`]),
    ...(privileged.length === 0
      ? []
      : [`invalid SecurityContext fields: ${privileged.map(() => 'Privileged').join(',')}`]),
    ...(volumes.length === 0 ? [] : [`volumes not supported: ${volumes.join(', ')}`])
  ]
  return reasons.length === 0 ? undefined : `Pod not supported on Fargate: ${reasons.join(', ')}`
}
