import { list, record, text } from '../values.js'
import { quantityOf } from './quantities.js'

/** The parts of a pod that decide what its container sees. */
export interface PodFacts {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly serviceAccount: string
  readonly nodeName: string
}

export function factsOf(pod: Readonly<Record<string, unknown>>): PodFacts {
  const metadata = record(pod['metadata'])
  const spec = record(pod['spec'])
  return {
    name: text(metadata['name']) ?? '',
    namespace: text(metadata['namespace']) ?? '',
    uid: text(metadata['uid']) ?? '',
    serviceAccount: text(spec['serviceAccountName']) ?? 'default',
    nodeName: text(spec['nodeName']) ?? ''
  }
}

/** The container's env with fieldRef and resourceFieldRef resolved, as a kubelet resolves them. */
export function containerEnvironment(
  pod: Readonly<Record<string, unknown>>,
  container: Readonly<Record<string, unknown>>,
  allocatable: Readonly<Record<string, string>>
): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const entry of list(container['env']).map(record)) {
    const name = text(entry['name'])
    const source = record(entry['valueFrom'])
    const field = text(record(source['fieldRef'])['fieldPath'])
    const resource = record(source['resourceFieldRef'])
    const value =
      field !== undefined
        ? fieldOf(pod, field)
        : text(resource['resource']) !== undefined
          ? resourceOf(container, resource, allocatable)
          : (text(entry['value']) ?? '')
    if (name !== undefined) {
      environment[name] = value
    }
  }
  return environment
}

/** A service-account token that a projected volume brings into the container. */
export interface ProjectedToken {
  /** Path in the container. */
  readonly path: string
  /** Empty: the API server's own audience. */
  readonly audience: string
  readonly expirationSeconds: number
}

/** The tokens that are mounted into this container. */
export function projectedTokens(
  pod: Readonly<Record<string, unknown>>,
  container: Readonly<Record<string, unknown>>
): readonly ProjectedToken[] {
  const mounts = list(container['volumeMounts']).map(record)
  return list(record(pod['spec'])['volumes'])
    .map(record)
    .flatMap((volume) => {
      const mount = text(mounts.find((one) => one['name'] === volume['name'])?.['mountPath'])
      return list(record(volume['projected'])['sources'])
        .map((source) => record(record(source)['serviceAccountToken']))
        .flatMap((token) => {
          const path = text(token['path'])
          return mount === undefined || path === undefined
            ? []
            : [
                {
                  path: `${mount}/${path}`,
                  audience: text(token['audience']) ?? '',
                  expirationSeconds: Number(text(token['expirationSeconds']) ?? '3600')
                }
              ]
        })
    })
}

function fieldOf(pod: Readonly<Record<string, unknown>>, path: string): string {
  const status = record(pod['status'])
  if (path === 'status.podIP' || path === 'status.hostIP') {
    return text(status[path.slice('status.'.length)]) ?? '127.0.0.1'
  }
  return text(path.split('.').reduce<unknown>((value, key) => record(value)[key], pod)) ?? ''
}

function resourceOf(
  container: Readonly<Record<string, unknown>>,
  reference: Readonly<Record<string, unknown>>,
  allocatable: Readonly<Record<string, string>>
): string {
  const [kind = '', name = ''] = (text(reference['resource']) ?? '').split('.')
  const given = text(record(record(container['resources'])[kind])[name])
  const value = given ?? (kind === 'limits' ? allocatable[name] : undefined) ?? '0'
  const divisor = text(reference['divisor']) ?? '1'
  return String(Math.ceil(quantityOf(value) / (divisor === '0' ? 1 : quantityOf(divisor))))
}
